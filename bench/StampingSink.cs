using System.Diagnostics;
using System.Text;
using OllamaMax.Jobs;

namespace OllamaMax.Bench;

/// <summary>Notes when each token came, on the decode thread.</summary>
internal sealed class StampingSink : ITokenSink
{
    private readonly Lock _lock = new();
    private readonly List<long> _stamps = [];
    private readonly List<byte> _bytes = [];
    private readonly Dictionary<int, TaskCompletionSource> _waiting = [];

    /// <summary>What the prompt took; null until it is decoded.</summary>
    public AttemptStart? Start { get; private set; }

    /// <summary>Time stamps of all tokens so far.</summary>
    public long[] Stamps
    {
        get
        {
            lock (_lock)
                return [.. _stamps];
        }
    }

    public string Text
    {
        get
        {
            lock (_lock)
                return Encoding.UTF8.GetString([.. _bytes]);
        }
    }

    /// <summary>From <paramref name="start"/> to the first token.</summary>
    public TimeSpan First(long start) => Stopwatch.GetElapsedTime(start, Stamps[0]);

    /// <summary>Done when so many tokens have come.</summary>
    public Task WaitForAsync(int tokens, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_stamps.Count >= tokens)
                return Task.CompletedTask;
            if (!_waiting.TryGetValue(tokens, out TaskCompletionSource? source))
                source = _waiting[tokens] = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return source.Task.WaitAsync(cancellationToken);
        }
    }

    public void Started(AttemptStart start) => Start = start;

    public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
    {
        long now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            _stamps.Add(now);
            _bytes.AddRange(piece);
            if (_waiting.Remove(_stamps.Count, out TaskCompletionSource? source))
                source.SetResult();
        }
    }
}
