using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Sealing;

internal static class SealingServices
{
    /// <summary>What encrypts between this edge and workers, and where content lies.</summary>
    public static IServiceCollection AddSealing(this IServiceCollection services)
    {
        services.AddOptions<ContentKeyOptions>().BindConfiguration(ContentKeyOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ContentKeyOptions>, ContentKeyOptionsValidator>());
        services.AddSingleton(provider => new ContentKeys(
            provider.GetRequiredService<IOptions<ContentKeyOptions>>().Value.Parse(), provider.GetRequiredService<IOptions<DispatchOptions>>().Value.EncryptPayloads));
        services.AddSingleton<EdgeSeals>();
        return services;
    }
}
