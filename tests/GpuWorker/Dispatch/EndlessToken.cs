using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>A token that a model never finishes: its job ends when the worker stops it, and only then is its slot free.</summary>
internal sealed class EndlessToken
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>An engine with one slot whose jobs come to it at once.</summary>
    public EndlessToken() => Engine = new(slots: 1) { BeforeToken = ComputeAsync };

    public ScriptedEngine Engine { get; }

    public Task Begun => _begun.Task.WaitAsync(TestContext.Current.CancellationToken);

    public Task Stopped => _stopped.Task.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>From now on tokens take no time.</summary>
    public void Recover() => Engine.BeforeToken = (_, _) => Task.CompletedTask;

    private async Task ComputeAsync(int index, CancellationToken stop)
    {
        _begun.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, stop);
        }
        finally
        {
            _stopped.TrySetResult();
        }
    }
}
