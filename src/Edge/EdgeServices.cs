using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Console;
using OllamaMax.Edge.Health;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OpenTelemetry.Metrics;

namespace OllamaMax.Edge;

/// <summary>Registers the edge: the HTTP app that speaks the APIs.</summary>
public static class EdgeServices
{
    /// <remarks>Meters named <c>OllamaMax.*</c> appear under <c>/metrics</c>; every <see cref="IReadinessCheck"/> under <c>/readyz</c>.</remarks>
    public static IServiceCollection AddEdge(this IServiceCollection services, Action<EdgeOptions> configure)
    {
        services.AddOptions<EdgeOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EdgeOptions>, EdgeOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => RandomNumberGenerator.Create());
        // Routing asks for one; a web host has it, the inner pipeline of a function may not.
        services.TryAddSingleton(_ => new DiagnosticListener("Microsoft.AspNetCore"));
        services.AddRouting();
        services.AddMetrics();
        services.AddTelemetry("ollamamax-edge").WithMetrics(metrics => metrics.AddPrometheusExporter());
        return services.AddHttp().AddRequests().AddOllamaApi().AddOpenAIApi().AddAnthropicApi();
    }

    /// <summary>
    /// Has the server take keys in the path too: <c>/k/&lt;key&gt;/api/chat</c>. Only for a host whose requests nobody sees before it, as paths
    /// stand in the logs of everything on the way. The server must be registered already.
    /// </summary>
    public static IServiceCollection AddKeysInPath(this IServiceCollection services)
    {
        ServiceDescriptor server = services.Last(service => service.ServiceType == typeof(IServer));
        services.Remove(server);
        Type type = server.ImplementationType ?? throw new InvalidOperationException("The server is registered in a way that cannot be wrapped.");
        services.AddSingleton<IServer>(provider => new KeyInPathServer((IServer)ActivatorUtilities.CreateInstance(provider, type)));
        return services;
    }

    private static IServiceCollection AddHttp(this IServiceCollection services)
    {
        services.TryAddSingleton<RequestMetrics>();
        services.TryAddSingleton<RequestBodyReader>();
        services.AddSingleton<IEndpointGroup, HealthEndpoints>();
        services.AddSingleton<IEndpointGroup, DocsEndpoints>();
        services.AddSingleton<IEndpointGroup, ConsoleEndpoints>();
        return services;
    }

    private static IServiceCollection AddRequests(this IServiceCollection services)
    {
        services.TryAddSingleton<SeedSource>();
        services.TryAddSingleton<PromptMaker>();
        services.AddOptions<AliasOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<NamedModels>();
        services.AddOptions<PlacementOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<Random>();
        services.TryAddSingleton<PlacementRules>();
        services.TryAddSingleton<JobFactory>();
        services.TryAddSingleton<IdempotencyStore>();
        services.TryAddSingleton<StreamedAnswer>();
        services.TryAddSingleton<WholeAnswer>();
        services.TryAddSingleton<InferenceRunner>();
        return services;
    }

    private static IServiceCollection AddOllamaApi(this IServiceCollection services)
    {
        services.TryAddSingleton<InferenceEndpoints>();
        services.TryAddSingleton<EmbedEndpoints>();
        services.TryAddSingleton<ModelEndpoints>();
        services.AddSingleton<IEndpointGroup, OllamaEndpoints>();
        services.AddSingleton<IEndpointGroup, CloudEndpoints>();
        return services;
    }

    private static IServiceCollection AddOpenAIApi(this IServiceCollection services)
    {
        services.TryAddSingleton<OpenAI.InferenceEndpoints>();
        services.TryAddSingleton<OpenAI.Responses.ResponseHistory>();
        services.TryAddSingleton<OpenAI.Responses.ResponsesEndpoint>();
        services.TryAddSingleton<OpenAI.ModelEndpoints>();
        services.AddSingleton<IEndpointGroup, OpenAI.OpenAIEndpoints>();
        return services;
    }

    private static IServiceCollection AddAnthropicApi(this IServiceCollection services)
    {
        services.TryAddSingleton<PromptTokens>();
        services.TryAddSingleton<Anthropic.MessagesEndpoints>();
        services.TryAddSingleton<Anthropic.ModelEndpoints>();
        services.AddSingleton<IEndpointGroup, Anthropic.AnthropicEndpoints>();
        return services;
    }
}
