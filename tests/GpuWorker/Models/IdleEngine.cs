using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>An engine that is only there, makes steps when it is told to, and can break.</summary>
internal sealed class IdleEngine : IInferenceEngine
{
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Slots => 1;

    public long Steps { get; set; }

    public bool IsContinuable { get; init; } = true;

    public Task Broken => _broken.Task;

    public bool IsDisposed { get; private set; }

    public void Break() => _broken.SetResult();

    public ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Stop });

    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Stop });

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
