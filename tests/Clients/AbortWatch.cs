using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests;

/// <summary>Sees the worker stop what a client has aborted. One client at a time: the worker's line does not say whose request it was.</summary>
internal sealed class AbortWatch : IDisposable
{
    private static readonly SemaphoreSlim s_oneAtATime = new(1);

    private readonly LocalSystem _system;
    private readonly int _from;

    private AbortWatch(LocalSystem system) => (_system, _from) = (system, system.Output.Lines.Count);

    public static async Task<AbortWatch> BeginAsync(LocalSystem system, CancellationToken cancellationToken)
    {
        await s_oneAtATime.WaitAsync(cancellationToken);
        return new(system);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) =>
        _system.Output.WaitForAsync(line => line.EndsWith("ended by Cancelled", StringComparison.Ordinal), cancellationToken, _from);

    public void Dispose() => s_oneAtATime.Release();
}
