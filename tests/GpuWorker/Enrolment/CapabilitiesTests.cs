using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Enrolment;

/// <summary>What a worker may do, from an edge that breaks off.</summary>
public sealed class CapabilitiesTests
{
    private const string Model = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>As the edge does that is killed between the two: a worker that ended with it would have to be started by hand.</summary>
    [Fact]
    public async Task UntilReached_EdgeBreaksOffAfterTheEnrolment_AsksAgain()
    {
        int renewals = 0;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using WebApplication edge = builder.Build();
        edge.MapPost("/cluster/enrolments", () => Results.Text(Granted([]), "application/json"));
        edge.MapPost("/cluster/workers/{id}/capabilities", (HttpContext context) =>
        {
            if (++renewals < 3)
                context.Abort();
            return Results.Text(Granted([new QueueCapability(Model, default, "http://127.0.0.1/q")]), "application/json");
        });
        await edge.StartAsync(Cancellation);
        using TempFolder folder = new();
        WatchedTimeProvider time = new();
        using HttpClient http = new() { BaseAddress = new Uri(edge.Urls.Single()) };
        WorkerOptions options = new() { Edge = http.BaseAddress, JoinToken = "omxj_x", Data = folder.File("worker"), Name = "w" };
        using WorkerIdentity identity = WorkerIdentity.Open(options.Data);
        using Capabilities capabilities = new(identity, new EdgeClient(http, time), Options.Create(options), time, NullLogger<Capabilities>.Instance);
        await capabilities.StartAsync(Cancellation);

        Task needed = capabilities.UntilReachedAsync(stop => capabilities.NeedQueuesOfAsync([Model], stop), Cancellation);
        foreach (TimeSpan wait in (TimeSpan[])[TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500)])
        {
            await time.WaitForTimerAsync(wait, Cancellation);
            time.Advance(wait);
        }
        await needed;

        renewals.ShouldBe(3);
        capabilities.Current.Queues.ShouldHaveSingleItem().Model.ShouldBe(Model);
    }

    private static string Granted(IReadOnlyList<QueueCapability> queues) => System.Text.Json.JsonSerializer.Serialize(
        new WorkerCapabilities
        {
            Version = ProtocolVersion.Current, WorkerId = "w1", ExpiresAt = DateTimeOffset.MaxValue, HeartbeatUrl = "", ModelsUrl = "", Queues = queues, SignalRUrl = "", SignalRToken = "",
        },
        ProtocolJson.Default.WorkerCapabilities);
}
