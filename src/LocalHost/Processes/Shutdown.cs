using System.Runtime.InteropServices;

namespace OllamaMax.LocalHost.Processes;

/// <summary>
/// All that ends the local host: Ctrl-C, SIGTERM, a closed terminal, a dead parent. A second Ctrl-C kills at once; SIGTERM comes twice where all of a group get it,
/// once from who sent it and once more from <c>dotnet run</c>, which hands it on.
/// </summary>
internal sealed class Shutdown : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TaskCompletionSource<string> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IReadOnlyList<PosixSignalRegistration> _signals;

    /// <param name="isChild">
    /// Whether another process of ours ends this one: Ctrl-C and a closed terminal reach both, and it is for the other to say in which order they end.
    /// </param>
    public Shutdown(bool isChild = false) => _signals = isChild
        ? [Ignore(PosixSignal.SIGINT), On(PosixSignal.SIGTERM), Ignore(PosixSignal.SIGHUP)]
        : [On(PosixSignal.SIGINT), On(PosixSignal.SIGTERM), On(PosixSignal.SIGHUP)];

    public CancellationToken Token => _source.Token;

    /// <summary>What ended it, for a person: the first reason counts.</summary>
    public Task<string> Requested => _requested.Task;

    /// <summary>May be called any number of times, by any thread.</summary>
    public void Request(string reason)
    {
        _requested.TrySetResult(reason);
        _source.Cancel();
    }

    /// <summary>Requests it when <paramref name="watch"/> ends by itself; a watch that fails can watch no more, which is a reason too.</summary>
    public async Task RequestAfterAsync(Task watch, string reason)
    {
        try
        {
            await watch;
            Request(reason);
        }
        catch (OperationCanceledException) when (_source.IsCancellationRequested)
        {
            // Something else was first.
        }
        catch (Exception e)
        {
            Request($"{reason} ({e.Message})");
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) => PosixSignalRegistration.Create(signal, context => context.Cancel = true);

    private PosixSignalRegistration On(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = signal != PosixSignal.SIGINT || !_source.IsCancellationRequested;
        Request(signal.ToString());
    });
}
