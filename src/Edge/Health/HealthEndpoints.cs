using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Health;

/// <summary><c>/healthz</c> (the process answers), <c>/readyz</c> (all it needs is there, or which is missing), <c>/metrics</c>.</summary>
internal sealed partial class HealthEndpoints(IEnumerable<IReadinessCheck> checks, TimeProvider time, ILogger<HealthEndpoints> logger) : IEndpointGroup
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly IReadinessCheck[] _checks = [.. checks];

    public void Map(IEndpointRouteBuilder endpoints)
    {
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        AllowAnonymousAttribute anonymous = new();
        endpoints.MapMethods("/healthz", methods, HealthAsync).WithMetadata(anonymous)
            .Describe(new(EndpointDescription.Own, "The process answers."));
        endpoints.MapMethods("/readyz", methods, ReadyAsync).WithMetadata(anonymous)
            .Describe(new(EndpointDescription.Own, "All that it needs is there, or, with 503, what is missing."));
        endpoints.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new RequiredPermission(Permissions.ReadCluster))
            .Describe(new(EndpointDescription.Own, "Figures for Prometheus.") { ContentType = "text/plain" });
    }

    private static Task HealthAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync("""{"status":"ok"}""", context.RequestAborted);
    }

    private async Task ReadyAsync(HttpContext context)
    {
        string?[] faults = await Task.WhenAll(_checks.Select(check => FaultAsync(check, context.RequestAborted)));
        bool isReady = faults.All(fault => fault is null);
        context.Response.StatusCode = isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json; charset=utf-8";
        Write(context, isReady, faults);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private void Write(HttpContext context, bool isReady, string?[] faults)
    {
        using Utf8JsonWriter json = new(context.Response.BodyWriter, Json.Writer);
        json.WriteStartObject();
        json.WriteBoolean("ready"u8, isReady);
        json.WriteStartArray("checks"u8);
        foreach ((IReadinessCheck check, string? fault) in _checks.Zip(faults))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, check.Name);
            json.WriteBoolean("ready"u8, fault is null);
            if (fault is not null)
                json.WriteString("reason"u8, fault);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async Task<string?> FaultAsync(IReadinessCheck check, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = new(Patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await check.CheckAsync(either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return $"no answer within {Patience.TotalSeconds} s";
        }
#pragma warning disable CA1031 // Whatever a check throws, the thing it checks is not there; the log has the exception.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(e, check.Name);
            return "the check failed; see the log";
        }
    }

    [LoggerMessage(LogLevel.Warning, "The readiness check {Check} failed.")]
    private partial void LogFailed(Exception exception, string check);
}
