using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Models that could not be loaded: each failure makes the next attempt wait longer, and who asks in between hears of the last one.</summary>
internal sealed class LoadFailures(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, Failure> _failures = [];

    public void Add(string digest, string message)
    {
        int inARow = _failures.TryGetValue(digest, out Failure? last) ? last.InARow + 1 : 1;
        TimeSpan wait = First * Math.Pow(2, Math.Min(inARow - 1, 16));
        _failures[digest] = new Failure(inARow, message, time.GetTimestamp(), wait < Longest ? wait : Longest);
    }

    public void Forget(string digest) => _failures.Remove(digest);

    /// <exception cref="ModelLoadException">It has failed a short while ago.</exception>
    public void ThrowIfTooSoon(string digest)
    {
        if (!_failures.TryGetValue(digest, out Failure? last))
            return;
        TimeSpan left = last.Wait - time.GetElapsedTime(last.At);
        if (left > TimeSpan.Zero)
            throw new ModelLoadException($"{last.Message}; not tried again for {left.TotalSeconds:0.#} s");
    }

    private sealed record Failure(int InARow, string Message, long At, TimeSpan Wait);
}
