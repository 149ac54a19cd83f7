namespace OllamaMax.TestKit.Split;

/// <summary>A worker's place in a <see cref="SplitSystem"/>: its process may be killed, and the next one is the same worker.</summary>
public sealed class WorkerSeat : IAsyncDisposable
{
    private readonly Func<string?, CancellationToken, Task<JoinedWorker>> _start;
    private JoinedWorker _process;

    private WorkerSeat(string name, JoinedWorker process, Func<string?, CancellationToken, Task<JoinedWorker>> start)
    {
        Name = name;
        _process = process;
        _start = start;
    }

    public string Name { get; }

    /// <summary>Of the process as last started.</summary>
    public int Pid => _process.Pid;

    /// <summary>Process ids of the models that it has in memory.</summary>
    public IReadOnlyList<int> ModelPids => LinuxProcesses.ChildrenOf(Pid);

    /// <summary>kill -9, and the end of it.</summary>
    public async Task KillAsync()
    {
        if (_process.Exit.IsCompleted)
            return;
        LocalSystem.Kill(Pid);
        await _process.Exit;
    }

    /// <summary>SIGTERM, and the exit code: what it does not finish it hands back.</summary>
    public async Task<int> DrainAsync(CancellationToken cancellationToken)
    {
        LocalSystem.Terminate(Pid);
        return await _process.Exit.WaitAsync(cancellationToken);
    }

    /// <summary>SIGSTOP of worker and models: as a box that stands still.</summary>
    public void Suspend() => Signal(LocalSystem.Suspend, [.. ModelPids, Pid]);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signal(LocalSystem.Resume, [.. ModelPids, Pid]);

    /// <summary>SIGSTOP of the models alone: decoders that stand still under a worker that lives.</summary>
    /// <returns>Their process ids, for <see cref="ResumeModels"/>: the worker may have put others in their place by then.</returns>
    public IReadOnlyList<int> SuspendModels()
    {
        IReadOnlyList<int> models = ModelPids;
        Signal(LocalSystem.Suspend, models);
        return models;
    }

    /// <summary>SIGCONT. One that was killed in the meantime is no error.</summary>
    public static void ResumeModels(IEnumerable<int> models) => Signal(LocalSystem.Resume, models);

    /// <summary>Starts the next process where the last one has ended, and waits until it listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _process.DisposeAsync();
        _process = await _start(null, cancellationToken);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static void Signal(Action<int> signal, IEnumerable<int> pids)
    {
        foreach (int pid in pids)
            signal(pid);
    }

    /// <param name="name">Of the worker.</param>
    /// <param name="joinToken">For the first process.</param>
    /// <param name="start">Starts a process, with a join token or without one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal static async Task<WorkerSeat> TakeAsync(
        string name, string joinToken, Func<string?, CancellationToken, Task<JoinedWorker>> start, CancellationToken cancellationToken) =>
        new(name, await start(joinToken, cancellationToken), start);
}
