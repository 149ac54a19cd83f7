using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Workers of one box at the same files.</summary>
public sealed class ReplicaFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What is taken while another deletes it is the file of that name: what was fetched into one without a name would be lost.</summary>
    [Fact]
    public async Task TryTakePartial_WhileAnotherDeletesIt_HasTheFileOfItsName()
    {
        string digest = $"sha256:{new string('a', 64)}";
        ReplicaFolder taking = Open(), deleting = Open();
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task deletes = Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested)
                    deleting.TryDeletePartial(digest);
            },
            Cancellation);

        int nameless = 0;
        for (int taken = 0; taken < 10_000;)
        {
            Cancellation.ThrowIfCancellationRequested();
            using FileStream? partial = taking.TryTakePartial(digest);
            if (partial is null)
                continue;
            taken++;
            nameless += File.Exists(partial.Name) ? 0 : 1;
        }
        await enough.CancelAsync();
        await deletes;

        nameless.ShouldBe(0);
    }

    public void Dispose() => _folder.Dispose();

    private ReplicaFolder Open() => new(
        Options.Create(new WorkerOptions { Edge = new Uri("http://127.0.0.1:1/"), Data = _folder.File("data"), Replicas = _folder.File("replicas"), Name = "test" }), TimeProvider.System);
}
