using System.Text;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Keeps what it is given; a test can wait for a token, and do something at it on the decode thread.</summary>
internal sealed class CollectingSink : ITokenSink
{
    private readonly Lock _lock = new();
    private readonly List<int> _tokens = [];
    private readonly List<byte> _bytes = [];
    private readonly List<TokenLogprobs> _logprobs = [];
    private readonly Dictionary<int, TaskCompletionSource> _waiting = [];
    private readonly TaskCompletionSource _goOn = new();
    private readonly CancellationToken _testEnds = TestContext.Current.CancellationToken;

    public Action<int>? OnToken { get; init; }

    /// <summary>With so many tokens the decode thread stands still until <see cref="GoOn"/>: no answer comes to its end before the test has done what it does meanwhile.</summary>
    public int? StandsAt { get; init; }

    /// <summary>What the prompt took; null while it is read.</summary>
    public AttemptStart? Start { get; private set; }

    public int FirstIndex { get; private set; } = -1;

    public int[] Tokens
    {
        get
        {
            lock (_lock)
                return [.. _tokens];
        }
    }

    public TokenLogprobs[] Logprobs
    {
        get
        {
            lock (_lock)
                return [.. _logprobs];
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

    public Task WaitForAsync(int tokens)
    {
        lock (_lock)
        {
            if (_tokens.Count >= tokens)
                return Task.CompletedTask;
            if (!_waiting.TryGetValue(tokens, out TaskCompletionSource? source))
                source = _waiting[tokens] = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return source.Task;
        }
    }

    public void GoOn() => _goOn.SetResult();

    public void Started(AttemptStart start)
    {
        Start.ShouldBeNull();
        Start = start;
    }

    public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
    {
        lock (_lock)
        {
            if (FirstIndex < 0)
                FirstIndex = index;
            index.ShouldBe(FirstIndex + _tokens.Count);
            _tokens.Add(token);
            _bytes.AddRange(piece);
            if (logprobs is not null)
                _logprobs.Add(logprobs);
            if (_waiting.Remove(_tokens.Count, out TaskCompletionSource? source))
                source.SetResult();
        }
        OnToken?.Invoke(index);
        if (Tokens.Length == StandsAt)
            _goOn.Task.Wait(_testEnds);
    }
}
