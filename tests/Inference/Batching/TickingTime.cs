namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Goes on by a millisecond each time it is read: what is bounded by time is bounded by how often it looks.</summary>
internal sealed class TickingTime : TimeProvider
{
    private long _milliseconds;

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => Interlocked.Increment(ref _milliseconds);
}
