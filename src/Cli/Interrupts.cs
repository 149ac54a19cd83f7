using System.Runtime.InteropServices;

namespace OllamaMax.Cli;

/// <summary>Ctrl-C and SIGTERM. The first Ctrl-C ends the part that may be ended alone, where one runs; any other, and SIGTERM, the whole command.</summary>
internal sealed class Interrupts : IDisposable
{
    /// <summary>What a command that was ended has for its own end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _all = new();
    private readonly Lock _lock = new();
    private CancellationTokenSource? _part;

    /// <summary>Of the whole command.</summary>
    public CancellationToken Token => _all.Token;

    /// <summary>Takes the process's signals until it is disposed of.</summary>
    public IDisposable Listen()
    {
        PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = Raise());
        PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = EndAll());
        _all.Token.Register(() => _ = EndHardAsync());
        return new Registrations(interrupt, terminate);
    }

    /// <summary>As Ctrl-C. False: all was told to end before, and who asks again wants no more patience.</summary>
    public bool Raise()
    {
        // Within the lock it is not disposed of.
        lock (_lock)
        {
            if (_part is not { IsCancellationRequested: false } part)
                return EndAll();
            part.Cancel();
            return true;
        }
    }

    /// <summary>Runs what Ctrl-C ends alone. False: it did.</summary>
    public async Task<bool> TryRunAsync(Func<CancellationToken, Task> part, CancellationToken cancellationToken)
    {
        using CancellationTokenSource own = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Set(own);
        try
        {
            await part(own.Token);
            return true;
        }
        catch (OperationCanceledException) when (own.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            Set(null);
        }
    }

    public void Dispose() => _all.Dispose();

    private void Set(CancellationTokenSource? part)
    {
        lock (_lock)
            _part = part;
    }

    private bool EndAll()
    {
        if (_all.IsCancellationRequested)
            return false;
        _all.Cancel();
        return true;
    }

    private static async Task EndHardAsync()
    {
        await Task.Delay(Patience, TimeProvider.System);
        Environment.Exit(ExitCode.Interrupted);
    }

    private sealed class Registrations(PosixSignalRegistration interrupt, PosixSignalRegistration terminate) : IDisposable
    {
        public void Dispose()
        {
            interrupt.Dispose();
            terminate.Dispose();
        }
    }
}
