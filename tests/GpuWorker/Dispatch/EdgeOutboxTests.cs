using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

public sealed class EdgeOutboxTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A leave that the service does not know, as its key was changed, it never will: asking on would go on for as long as the worker.</summary>
    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, false)]
    [InlineData(HttpStatusCode.NotFound, false)]
    [InlineData(HttpStatusCode.ServiceUnavailable, true)]
    public async Task Claim_IsNotTaken_GoesWithTheNextMessageUnlessTheLeaveIsRefused(HttpStatusCode status, bool goesAgain)
    {
        Channel<string> messages = Channel.CreateUnbounded<string>();
        await using WebApplication service = LoopbackServer.Build();
        service.Run(async context =>
        {
            using StreamReader body = new(context.Request.Body);
            messages.Writer.TryWrite(await body.ReadToEndAsync(Cancellation));
            context.Response.StatusCode = (int)status;
        });
        await service.StartAsync(Cancellation);
        using SignalRSender sender = new(TimeProvider.System);
        ReplyCapability reply = new(service.Urls.Single(), "a-token", DateTimeOffset.MaxValue);
        await using EdgeOutbox outbox = new(
            reply, sender, () => new WorkerMessage { Version = ProtocolVersion.Current, WorkerId = "w", Steps = 0, SlotsUsed = 0, SlotsTotal = 1 }, TimeProvider.System, NullLogger<EdgeOutbox>.Instance);

        outbox.Claim(ClaimOf("first"));
        (await messages.Reader.ReadAsync(Cancellation)).ShouldContain("first");
        outbox.Claim(ClaimOf("second"));
        string next = await messages.Reader.ReadAllAsync(Cancellation).FirstAsync(message => message.Contains("second", StringComparison.Ordinal), Cancellation);

        next.Contains("first", StringComparison.Ordinal).ShouldBe(goesAgain);
    }

    private static Claim ClaimOf(string job) => new(job, $"sha256:{new string('a', 64)}", Band.Interactive, "message", "receipt");
}
