using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>The SignalR service's client endpoint and data plane, with ASP.NET Core's own SignalR behind.</summary>
internal static class SurfaceExtensions
{
    public static IServiceCollection AddSignalRSurface(this IServiceCollection services, SignalRSurfaceOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new SignalRFaults(provider.GetRequiredService<TimeProvider>(), options.Faults));
        services.AddSingleton(provider => new SurfaceTokens(options.AccessKey, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SurfaceHubs>();
        services.AddSingleton<SurfaceDelivery>();
        services.AddSingleton<DataPlane>();

        services.AddSignalR();
        services.AddSingleton<HubLifetimeManager<ListenHub>, SurfaceLifetimeManager>();
        services.RemoveAll<IHubProtocol>();
        services.AddSingleton<ListenOnlyProtocol>();
        services.AddSingleton<IHubProtocol>(provider => provider.GetRequiredService<ListenOnlyProtocol>());

        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, SurfaceAuthentication>(SurfaceAuthentication.Scheme, null);
        services.AddAuthorizationBuilder().AddPolicy(
            SurfaceAuthentication.Scheme,
            policy => policy.AddAuthenticationSchemes(SurfaceAuthentication.Scheme).RequireAuthenticatedUser());
        services.AddCors();
        return services;
    }

    public static void MapSignalRSurface(this WebApplication app)
    {
        app.UseRouting();
        // Before authentication, as a preflight brings no token. Any origin: tokens decide, there are no cookies.
        app.UseCors(policy => policy.SetIsOriginAllowed(static _ => true).AllowAnyHeader().AllowAnyMethod().AllowCredentials());
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapHub<ListenHub>("/client").RequireAuthorization(SurfaceAuthentication.Scheme);
        DataPlane.Map(app);
    }
}
