using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Enrolment;

/// <summary>What a worker may do, from an edge that breaks off.</summary>
public sealed class CapabilitiesTests
{
    private const string Model = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private readonly WatchedTimeProvider _time = new();

    /// <summary>As the edge does that is killed between the two: a worker that ended with it would have to be started by hand.</summary>
    [Fact]
    public async Task UntilReached_EdgeBreaksOffAfterTheEnrolment_AsksAgain()
    {
        int renewals = 0;
        await using Box box = await Box.StartAsync(_time, context =>
        {
            if (++renewals < 3)
                context.Abort();
            return Granted(new QueueCapability(Model, default, "http://127.0.0.1/q"));
        });
        await box.Capabilities.StartAsync(Cancellation);

        Task needed = NeedQueuesAsync(box);
        await LetPassAsync(TimeSpan.FromMilliseconds(250));
        await LetPassAsync(TimeSpan.FromMilliseconds(500));
        await needed;

        renewals.ShouldBe(3);
        box.Capabilities.Current.Queues.ShouldHaveSingleItem().Model.ShouldBe(Model);
    }

    /// <summary>Azure's front end says 403 of an app that is stopped, in a page; its like have a JSON of their own. A worker that ended with that, nobody would start again.</summary>
    [Theory]
    [InlineData(403, "<html>This web app is stopped.</html>", false)]
    [InlineData(401, """{"error":"no entry"}""", false)]
    [InlineData(403, """{"error":{"code":"WAF"}}""", true)]
    [InlineData(200, "<html>Log in to this network</html>", false)]
    public async Task UntilReached_AnswerThatIsNotTheEdges_AsksAgain(int status, string body, bool hasRequestId)
    {
        int renewals = 0;
        await using Box box = await Box.StartAsync(_time, context => ++renewals == 1
            ? Answer(context, status, body, hasRequestId)
            : Granted(new QueueCapability(Model, default, "http://127.0.0.1/q")));
        await box.Capabilities.StartAsync(Cancellation);

        Task needed = NeedQueuesAsync(box);
        await LetPassAsync(TimeSpan.FromMilliseconds(250));
        await needed;

        renewals.ShouldBe(2);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(426)]
    public async Task UntilReached_TheEdgesOwnWords_Ends(int status)
    {
        await using Box box = await Box.StartAsync(_time, context => Answer(context, status, """{"error":"not you"}""", hasRequestId: true));
        await box.Capabilities.StartAsync(Cancellation);

        (await Should.ThrowAsync<EnrolmentException>(() => NeedQueuesAsync(box))).Message.ShouldBe("not you");
    }

    /// <summary>What it signs is refused then as a stranger's is, and is good once the clock goes right.</summary>
    [Fact]
    public async Task Keep_RefusedWhileTheClockIsWrong_GoesOnUntilItIsRevoked()
    {
        TaskCompletionSource refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TimeSpan error = TimeSpan.FromHours(-1);
        await using Box box = await Box.StartAsync(_time, context =>
        {
            context.Response.Headers.Date = (_time.GetUtcNow() + error).ToString("R", null);
            refused.TrySetResult();
            return Answer(context, 401, """{"error":"not enrolled"}""", hasRequestId: true);
        });
        await box.Capabilities.StartAsync(Cancellation);
        TimeSpan half = Lifetime / 2;

        Task keeping = box.Capabilities.KeepAsync(Cancellation);
        await LetPassAsync(half);
        await refused.Task.WaitAsync(Cancellation);
        await LetPassAsync(TimeSpan.FromMilliseconds(250));
        await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(500), Cancellation);
        error = TimeSpan.Zero;
        _time.Advance(TimeSpan.FromMilliseconds(500));

        await Should.ThrowAsync<EnrolmentException>(keeping);
    }

    /// <summary>The edge refuses a request that names more, in words that would end the worker.</summary>
    [Fact]
    public async Task NeedQueues_OfMoreModelsThanAWorkerCanHave_AsksForTheFirstAndOnlyOnce()
    {
        List<IReadOnlyList<string>> asked = [];
        await using Box box = await Box.StartAsync(_time, context =>
        {
            CapabilityRequest request = JsonSerializer.Deserialize(context.Request.Body, ProtocolJson.Default.CapabilityRequest)!;
            asked.Add(request.Models);
            return Granted([.. request.Models.Select(model => new QueueCapability(model, default, "http://127.0.0.1/q"))]);
        });
        await box.Capabilities.StartAsync(Cancellation);
        string[] models = [.. Enumerable.Range(0, CapabilityRequest.MostModels + 500).Select(index => ModelDigest.Of(BitConverter.GetBytes(index)))];

        await box.Capabilities.NeedQueuesOfAsync(models, Cancellation);
        await box.Capabilities.NeedQueuesOfAsync(models, Cancellation);

        asked.ShouldHaveSingleItem().ShouldBe(models[..CapabilityRequest.MostModels]);
    }

    private static IResult Answer(HttpContext context, int status, string body, bool hasRequestId)
    {
        if (hasRequestId)
            context.Response.Headers["x-request-id"] = "1";
        return Results.Text(body, "text/html", statusCode: status);
    }

    private static Task NeedQueuesAsync(Box box) =>
        box.Capabilities.UntilReachedAsync(stop => box.Capabilities.NeedQueuesOfAsync([Model], stop), Cancellation);

    private async Task LetPassAsync(TimeSpan wait)
    {
        await _time.WaitForTimerAsync(wait, Cancellation);
        _time.Advance(wait);
    }

    private static IResult Granted(params IReadOnlyList<QueueCapability> queues) => Results.Text(
        JsonSerializer.Serialize(
            new WorkerCapabilities
            {
                Version = ProtocolVersion.Current, WorkerId = "w1", ExpiresAt = new WatchedTimeProvider().GetUtcNow() + Lifetime, HeartbeatUrl = "", ModelsUrl = "", Queues = queues, SignalRUrl = "", SignalRToken = "",
            },
            ProtocolJson.Default.WorkerCapabilities),
        "application/json");

    /// <summary>A worker's capabilities, and an edge that lets it in.</summary>
    private sealed class Box : IAsyncDisposable
    {
        private readonly TempFolder _folder = new();
        private readonly WebApplication _edge;
        private readonly HttpClient _http;
        private readonly WorkerIdentity _identity;

        private Box(WebApplication edge, TimeProvider time)
        {
            _edge = edge;
            _http = new() { BaseAddress = new Uri(edge.Urls.Single()) };
            WorkerOptions options = new() { Edge = _http.BaseAddress, JoinToken = "omxj_x", Data = _folder.File("worker"), Name = "w" };
            _identity = WorkerIdentity.Open(options.Data);
            Capabilities = new(_identity, new EdgeClient(_http, time), Options.Create(options), time, NullLogger<Capabilities>.Instance);
        }

        public Capabilities Capabilities { get; }

        public static async Task<Box> StartAsync(TimeProvider time, Func<HttpContext, IResult> renew)
        {
            WebApplication edge = LoopbackServer.Build();
            edge.MapPost("/cluster/enrolments", () => Granted());
            edge.MapPost("/cluster/workers/{id}/capabilities", context =>
            {
                context.Response.Headers.Date = time.GetUtcNow().ToString("R", null);
                context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
                return renew(context).ExecuteAsync(context);
            });
            await edge.StartAsync(Cancellation);
            return new(edge, time);
        }

        public async ValueTask DisposeAsync()
        {
            Capabilities.Dispose();
            _identity.Dispose();
            _http.Dispose();
            await _edge.DisposeAsync();
            _folder.Dispose();
        }
    }
}
