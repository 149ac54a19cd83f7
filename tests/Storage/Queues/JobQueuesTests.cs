using System.Security.Cryptography;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Queues;

public sealed class JobQueuesTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.ConnectionString);
    private readonly string _model = ModelDigest.Of(RandomNumberGenerator.GetBytes(16));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PutBack_HeldByAWorker_ShowsAgainAsItWas()
    {
        JobQueues queues = new(_account, TimeProvider.System);
        await queues.EnqueueAsync(new QueuedJob(ProtocolVersion.Current, "job", _model, Band.Interactive, Reply: null), TimeSpan.FromMinutes(1), Cancellation);
        QueueMessage held = (await TakeAsync()).ShouldNotBeNull();

        await queues.PutBackAsync(_model, Band.Interactive, held.MessageId, held.PopReceipt, TimeSpan.Zero, Cancellation);

        (await TakeAsync()).ShouldNotBeNull().MessageText.ShouldBe(held.MessageText);
        // The receipt is another's by now.
        await queues.PutBackAsync(_model, Band.Interactive, held.MessageId, held.PopReceipt, TimeSpan.Zero, Cancellation);
        (await TakeAsync()).ShouldBeNull();
    }

    /// <summary>Workers hold messages by it for as long as they are told, whoever has asked for the address before.</summary>
    [Fact]
    public void SignedUrl_AskedForAgain_LastsAsLongAsTheFirst()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        JobQueues queues = new(_account, time);
        queues.SignedUrl(_model, Band.Batch);
        time.Advance(JobQueues.SignatureLifetime / 2);

        QueueUriBuilder signed = new(new Uri(queues.SignedUrl(_model, Band.Batch)));

        signed.Sas.ExpiresOn.ShouldBe(time.GetUtcNow() + JobQueues.SignatureLifetime);
    }

    private async Task<QueueMessage?> TakeAsync() =>
        (await new QueueClient(new Uri(new JobQueues(_account, TimeProvider.System).SignedUrl(_model, Band.Interactive))).ReceiveMessageAsync(cancellationToken: Cancellation)).Value;
}
