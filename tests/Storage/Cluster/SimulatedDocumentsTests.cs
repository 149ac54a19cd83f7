using OllamaMax.Cluster;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class SimulatedDocumentsTests : DocumentContract
{
    protected override IDocumentStore Create() => new Direct(new SimulatedStorage(new VirtualWorld(seed: 1)));

    /// <summary>The storage without a way to it.</summary>
    private sealed record Direct(SimulatedStorage Storage) : IDocumentStore
    {
        public Task<StoredDocument?> ReadAsync(string name, StoredDocument? known, CancellationToken cancellationToken) => Task.FromResult(Storage.Read(name, known));

        public Task<StoredDocument?> WriteAsync(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, CancellationToken cancellationToken) =>
            Task.FromResult(Storage.Write(name, content, basis, "direct"));
    }
}
