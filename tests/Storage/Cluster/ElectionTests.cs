using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using OllamaMax.Cluster;
using OllamaMax.Leases;
using OllamaMax.Storage.Cluster;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Cluster;

/// <summary>The election over Azurite's leases and ETags. What processes and signals do to it is tested from outside (EndToEnd); here one instance is cut off, and clocks are wrong.</summary>
public sealed class ElectionTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);

    private readonly string _container = $"election-{Guid.NewGuid():n}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Takes the lease's time.</summary>
    [Fact]
    public async Task CutOff_Leader_StopsBeforeAnotherLeadsAndItsLateWriteIsRefused()
    {
        await using Instance first = new(this, "first", skew: TimeSpan.FromMinutes(7)), second = new(this, "second", skew: TimeSpan.FromMinutes(-7));
        var (term, lost) = (await first.Election.TickAsync(Cancellation)).ShouldNotBeNull();
        (await second.Election.TickAsync(Cancellation)).ShouldBeNull();

        first.IsCutOff = true;
        LeaderTerm next = await UntilItLeadsAsync(second, beside: first);

        lost.IsCancellationRequested.ShouldBeTrue();
        first.Election.Current.ShouldBeNull();
        next.Epoch.ShouldBe(term.Epoch + 1);
        first.IsCutOff = false;
        ClusterCommand late = new ClusterCommand.Drain("late", "w1", term.Since);
        (await first.Documents.State.ApplyAsync(term, state => state.Apply(late), Cancellation)).ShouldBeNull();
        (await first.Election.TickAsync(Cancellation)).ShouldBeNull();
        LeaderDocument<ClusterState> state = await second.Documents.State.ReadAsync(Cancellation);
        (state.Epoch, state.Leader, state.Content.Drains.Count).ShouldBe((next.Epoch, "second", 0));
    }

    [Fact]
    public async Task Dispose_Leader_AnotherLeadsAtOnce()
    {
        await using Instance first = new(this, "first", TimeSpan.Zero), second = new(this, "second", TimeSpan.Zero);
        await first.Election.TickAsync(Cancellation);

        await first.Election.DisposeAsync();

        (await second.Election.TickAsync(Cancellation)).ShouldNotBeNull().Term.Epoch.ShouldBe(2);
    }

    private static async Task<LeaderTerm> UntilItLeadsAsync(Instance instance, Instance beside)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(250));
        while (true)
        {
            // It goes on ticking, as a process that is cut off does.
            await Should.ThrowAsync<StoreException>(() => beside.Election.TickAsync(Cancellation));
            if (await instance.Election.TickAsync(Cancellation) is var (term, _))
                return term;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>An edge as far as the election goes, with a way to storage of its own.</summary>
    private sealed class Instance : IAsyncDisposable
    {
        private readonly HttpClient _http;

        public Instance(ElectionTests test, string id, TimeSpan skew)
        {
            _http = new HttpClient(new Switch(this));
            BlobClientOptions options = new() { Transport = new HttpClientTransport(_http), Retry = { MaxRetries = 0 } };
            BlobContainerClient container = new BlobServiceClient(test.Storage, options).GetBlobContainerClient(test._container);
            Documents = new ClusterDocuments(new BlobDocuments(container));
            Election = new LeaderElection(id, new BlobLease(container, "leader"), Documents.All, LeaseTime, new WrongClock(skew));
        }

        public ClusterDocuments Documents { get; }

        public LeaderElection Election { get; }

        public bool IsCutOff { get; set; }

        public async ValueTask DisposeAsync()
        {
            await Election.DisposeAsync();
            _http.Dispose();
        }

        private sealed class Switch(Instance instance) : DelegatingHandler(new SocketsHttpHandler())
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
                instance.IsCutOff ? throw new HttpRequestException("cut off") : base.SendAsync(request, cancellationToken);
        }
    }

    private string Storage => azurite.ConnectionString;

    private sealed class WrongClock(TimeSpan skew) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + skew;
    }
}
