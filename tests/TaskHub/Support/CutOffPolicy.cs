using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace OllamaMax.TaskHub.Tests.Support;

/// <summary>Lets so many requests through to storage, and none after that: to storage the process has died there.</summary>
internal sealed class CutOffPolicy(int requests) : HttpPipelinePolicy
{
    private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = requests;

    /// <summary>Ends with the first request that was not let through.</summary>
    public Task Cut => _cut.Task;

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("The hub makes no synchronous calls.");

    public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        if (Interlocked.Decrement(ref _left) >= 0)
            return ProcessNextAsync(message, pipeline);
        _cut.TrySetResult();
        throw new RequestFailedException("cut off");
    }
}
