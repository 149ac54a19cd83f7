using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Workers of other versions than the edge's, at the real edge.</summary>
[Collection(nameof(OneSystem))]
public sealed class ProtocolVersionTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(-1)]
    [InlineData(+1)]
    public async Task Worker_OneVersionApart_IsLetInAndGivenWork(int difference)
    {
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 0 }, Cancellation);
        using HttpClient client = system.Client();
        int version = ProtocolVersion.Current + difference;
        using HttpResponseMessage answer = await EnrolAsync(client, version);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        WorkerCapabilities capabilities = (await answer.Content.ReadFromJsonAsync(ProtocolJson.Default.WorkerCapabilities, Cancellation)).ShouldNotBeNull();
        using SignalRSender sender = new(TimeProvider.System);
        await using SignalRListener listener = new(
            _ => ValueTask.FromResult(new Negotiation(capabilities.SignalRUrl, capabilities.SignalRToken)), TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        listener.On(Targets.Grant, grant => _ = AnswerAsync(sender, grant.Deserialize(ProtocolJson.Default.GrantMessage)!, version));
        listener.On(Targets.Nudge, nudge => _ = ClaimAsync(sender, nudge.Deserialize(ProtocolJson.Default.NudgeMessage)!, capabilities.WorkerId, version));
        listener.Start();
        await listener.WaitUntilConnectedAsync(Cancellation);
        await ReportAsync(capabilities, version);

        (await client.ChatAsync()).ShouldBe("From another version.");
    }

    [Theory]
    [InlineData(-2, "upgrade the worker")]
    [InlineData(+2, "upgrade the edge")]
    public async Task Worker_TwoVersionsApart_IsToldWhatToUpgrade(int difference, string advice)
    {
        using HttpResponseMessage answer = await EnrolAsync(local.Client, ProtocolVersion.Current + difference);

        answer.StatusCode.ShouldBe(HttpStatusCode.UpgradeRequired);
        JsonElement error = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        error.GetProperty("error").GetString()!.ShouldContain(advice);
    }

    private static async Task<HttpResponseMessage> EnrolAsync(HttpClient client, int version)
    {
        using HttpResponseMessage token = await client.PostAsync("/cluster/join-tokens", null, Cancellation);
        string joinToken = (await token.JsonAsync()).GetProperty("token").GetString()!;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // With something that this edge cannot know: a version later fields are added.
        object body = new { version, name = "another", public_key = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), colour = "blue" };
        using HttpRequestMessage request = new(HttpMethod.Post, "/cluster/enrolments") { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", joinToken);
        return await client.SendAsync(request, Cancellation);
    }

    private static async Task ReportAsync(WorkerCapabilities capabilities, int version)
    {
        WorkerReport report = WorkerReports.Idle(capabilities.WorkerId) with { Version = version, Name = "another", SlotsTotal = 1, IntervalSeconds = 60 };
        Dictionary<string, string> metadata = new() { [Heartbeats.ReportKey] = HeartbeatDocument.Of(report, []).Report };
        await new BlobClient(new(capabilities.HeartbeatUrl)).UploadAsync(BinaryData.Empty, new BlobUploadOptions { Metadata = metadata }, Cancellation);
    }

    /// <summary>Accepts, and answers with three words at once.</summary>
    private static Task<SendOutcome> AnswerAsync(SignalRSender sender, GrantMessage grant, int version)
    {
        byte[][] pieces = ["From "u8.ToArray(), "another "u8.ToArray(), "version."u8.ToArray()];
        Chunk chunk = new(
            0, [1, 2, 3], [.. pieces.Select(piece => piece.Length)], [.. pieces.SelectMany(piece => piece)],
            new AttemptStart(1, 0, TimeSpan.Zero, TimeSpan.FromMilliseconds(1)), new AttemptEnd { Reason = EndReason.Stop, EvalDuration = TimeSpan.FromMilliseconds(1) });
        WorkerMessage message = Message(grant.Attempt.WorkerId, version) with
        {
            Answers = [new GrantAnswer(grant.JobId, grant.Attempt.Nonce, Accepted: true)],
            Outputs = [new AttemptOutput(grant.JobId, grant.Attempt.Nonce, chunk)],
        };
        return sender.SendAsync(grant.Reply, Targets.Output, message, ProtocolJson.Default.WorkerMessage, Cancellation);
    }

    /// <summary>On a machine so busy that the push was not answered in time.</summary>
    private static async Task ClaimAsync(SignalRSender sender, NudgeMessage nudge, string workerId, int version)
    {
        if ((await new QueueClient(new Uri(nudge.Queue)).ReceiveMessageAsync(cancellationToken: Cancellation)).Value is not { } message)
            return;
        QueuedJob job = JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob)!;
        Claim claim = new(job.JobId, job.Model, job.Band, message.MessageId, message.PopReceipt);
        await sender.SendAsync(job.Reply!, Targets.Output, Message(workerId, version) with { Claims = [claim] }, ProtocolJson.Default.WorkerMessage, Cancellation);
    }

    private static WorkerMessage Message(string workerId, int version) => new()
    {
        Version = version,
        WorkerId = workerId,
        Steps = 3,
        SlotsUsed = 0,
        SlotsTotal = 1,
    };
}
