using System.Data.Common;
using System.Reflection;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OllamaMax.Diagnostics;

/// <summary>Where traces, metrics and logs of a process go besides its console: an OpenTelemetry collector, Azure Monitor, both or nowhere, as its settings say.</summary>
public static class TelemetryServices
{
    /// <summary>The standard's own: <c>http://collector:4317</c>. Protocol, headers and intervals are read from its neighbours.</summary>
    public const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>As a function app has it.</summary>
    public const string AzureMonitor = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>How to send there, as the Functions host reads it too: <c>Authorization=AAD</c>, and <c>ClientId=</c> before it for an identity that was assigned.</summary>
    public const string AzureMonitorAuthentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>
    /// Meters named <c>OllamaMax.*</c> are collected; spans and logs too where an exporter is set, so that a process without one pays for nothing.
    /// </summary>
    /// <param name="services">A host starts what is registered; without one, <see cref="StartTelemetry"/> does.</param>
    /// <param name="service"><c>service.name</c> of all that is exported, unless OTEL_SERVICE_NAME says another.</param>
    /// <param name="configuration">Settings; null: the environment.</param>
    public static OpenTelemetryBuilder AddTelemetry(this IServiceCollection services, string service, IConfiguration? configuration = null)
    {
        configuration ??= new ConfigurationBuilder().AddEnvironmentVariables().Build();
        OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService(service, serviceNamespace: Telemetry.Name, serviceVersion: VersionOf(typeof(Telemetry).Assembly))
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics.AddMeter($"{Telemetry.Name}.*"));
        bool toCollector = IsSet(OtlpEndpoint);
        bool toAzure = IsSet(AzureMonitor);
        if (!toCollector && !toAzure)
            return telemetry;

        telemetry
            .WithTracing(traces => traces.AddSource(Telemetry.Name))
            .WithLogging(configureBuilder: null, logs =>
            {
                // The request's id stands in a scope.
                logs.IncludeScopes = true;
                logs.IncludeFormattedMessage = true;
            });
        if (toCollector)
            telemetry.UseOtlpExporter();
        if (toAzure)
            telemetry.UseAzureMonitorExporter(azure =>
            {
                azure.ConnectionString = configuration[AzureMonitor];
                azure.Credential = CredentialOf(configuration[AzureMonitorAuthentication]);
                // An error's line is wanted whether or not its request's trace is among those that are kept.
                azure.EnableTraceBasedLogsSampler = false;
            });
        return telemetry;

        bool IsSet(string name) => !string.IsNullOrWhiteSpace(configuration[name]);
    }

    /// <summary>Has a process without host export from now on; what is under way is sent when the provider is disposed.</summary>
    public static void StartTelemetry(this IServiceProvider services)
    {
        services.GetService<MeterProvider>();
        services.GetService<TracerProvider>();
    }

    /// <summary>The managed identity of the app; null: the key in the connection string, which a resource may refuse.</summary>
    private static ManagedIdentityCredential? CredentialOf(string? authentication)
    {
        // Of the form of a connection string.
        DbConnectionStringBuilder parts = new() { ConnectionString = authentication };
        if (!parts.TryGetValue("Authorization", out object? way) || !"AAD".Equals(way as string, StringComparison.OrdinalIgnoreCase))
            return null;
        return new(parts.TryGetValue("ClientId", out object? client) ? ManagedIdentityId.FromUserAssignedClientId((string)client) : ManagedIdentityId.SystemAssigned);
    }

    private static string? VersionOf(Assembly assembly) => assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
}
