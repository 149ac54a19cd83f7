using Azure.Core;
using Azure.Core.Pipeline;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Counts what is read of blobs whose path has a text in it, and lets so many pieces through; who wants more waits until it is cancelled.</summary>
internal sealed class HeldReads(string path) : HttpPipelinePolicy
{
    private int _left = int.MaxValue;
    private int _passed;
    private TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Passed => Volatile.Read(ref _passed);

    /// <summary>Somebody waits.</summary>
    public bool IsHolding => _held.Task.IsCompleted;

    public Task Holding => _held.Task;

    public void Allow(int pieces)
    {
        _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _left, pieces);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => ProcessNext(message, pipeline);

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        if (message.Request.Method == RequestMethod.Get && message.Request.Uri.Path.Contains(path, StringComparison.Ordinal)
            && (message.Request.Headers.Contains("x-ms-range") || message.Request.Headers.Contains("Range")))
        {
            if (Interlocked.Decrement(ref _left) < 0)
            {
                _held.TrySetResult();
                await Task.Delay(Timeout.Infinite, message.CancellationToken);
            }
            Interlocked.Increment(ref _passed);
        }
        await ProcessNextAsync(message, pipeline);
    }
}
