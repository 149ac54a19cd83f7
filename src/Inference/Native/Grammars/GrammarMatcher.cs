using System.Diagnostics.CodeAnalysis;

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>
/// Follows a grammar, character by character, along all its ways at once: a graph-structured stack (Tomita 1985), made deterministic as it
/// goes. Any context-free grammar will do, left-recursive and ambiguous ones too; time and memory are polynomial and bounded. Holds
/// what it has worked out, so one answer needs one of its own. Not safe for concurrent use.
/// </summary>
internal sealed class GrammarMatcher : IEqualityComparer<GrammarLevel>
{
    /// <summary>Places looked at for one token before its grammar is given up: about 25 ms of a server's CPU. JSON takes a few dozen.</summary>
    public const int MaxWork = 400_000;

    private const int MaxWeight = 1_000_000;

    // Emptying a set takes as long as it once was large.
    private const int LargeSet = 8192;

    private readonly Grammar _grammar;
    private readonly GrammarFrames _frames = new();
    private readonly HashSet<GrammarLevel> _levels;
    private readonly GrammarFrame _outside;
    private readonly Stack<GrammarConfig> _todo = new();
    private HashSet<GrammarConfig> _seen = [];
    private readonly List<GrammarConfig> _places = [];
    private readonly Dictionary<int, GrammarFrame> _calls = [];
    private int _generation;
    private int _frameCount;
    private int _weight;
    private int _work;

    public GrammarMatcher(Grammar grammar)
    {
        _grammar = grammar;
        _levels = new HashSet<GrammarLevel>(this);
        _outside = new GrammarFrame(rule: -1, _frameCount++) { IsOpen = false };
        Dead = new GrammarLevel([], canEnd: false, grammar);
        _todo.Push(new GrammarConfig(grammar.Root, _outside));
        Begin = Close();
    }

    /// <summary>Before the first character.</summary>
    public GrammarLevel Begin { get; }

    /// <summary>Where nothing that follows would do.</summary>
    public GrammarLevel Dead { get; }

    /// <summary>Before each token: the bound on work is for one. What is remembered is forgotten when it has become too much.</summary>
    public void BeginToken()
    {
        _work = 0;
        if (_weight < MaxWeight)
            return;
        _weight = 0;
        _generation++;
        _levels.Clear();
        _frames.Clear();
    }

    /// <exception cref="GrammarException">It is too ambiguous: following it takes too long.</exception>
    public GrammarLevel Next(GrammarLevel level, int codePoint)
    {
        int @class = _grammar.Alphabet.ClassOf(codePoint);
        if (@class == Alphabet.NoClass || !Alphabet.Contains(level.Accepts, @class))
            return Dead;
        if (level.Next(_generation, @class) is { } known)
            return known;
        foreach (GrammarConfig place in level.Places)
        {
            GrammarState state = _grammar.State(place.State);
            if (_grammar.Alphabet.IsInSet(state.First, @class))
                _todo.Push(place with { State = state.Next });
        }
        GrammarLevel next = Close();
        return level.Next(_generation, @class) = next;
    }

    /// <summary>Whether some character from <paramref name="low"/> to <paramref name="high"/> can follow.</summary>
    public bool Any(GrammarLevel level, int low, int high) => _grammar.Alphabet.Any(level.Accepts, low, high);

    /// <summary>From the places in <see cref="_todo"/> to all that can be reached without a character.</summary>
    private GrammarLevel Close()
    {
        if (_seen.Count > LargeSet)
            _seen = [];
        _seen.Clear();
        _places.Clear();
        _calls.Clear();
        bool canEnd = false;
        while (_todo.TryPop(out GrammarConfig place))
        {
            if (++_work > MaxWork)
            {
                _todo.Clear();
                throw new GrammarException("is too ambiguous: following it takes too long");
            }
            if (!_seen.Add(place))
                continue;
            GrammarState state = _grammar.State(place.State);
            switch (state.Kind)
            {
                case GrammarStateKind.Chars:
                    _places.Add(place);
                    break;
                case GrammarStateKind.Split:
                    _todo.Push(place with { State = state.First });
                    _todo.Push(place with { State = state.Next });
                    break;
                case GrammarStateKind.Call:
                    Call(state, place.Frame);
                    break;
                default:
                    canEnd |= place.Frame == _outside;
                    Return(place.Frame);
                    break;
            }
        }
        return Remember(canEnd);
    }

    private void Call(GrammarState call, GrammarFrame frame)
    {
        // Nothing comes after it: its end is this one's as well. Without this, right recursion would leave a frame at each character.
        if (call.Next == Grammar.End)
        {
            _todo.Push(new GrammarConfig(_grammar.Start(call.First), frame));
            return;
        }
        if (!_calls.TryGetValue(call.First, out GrammarFrame? called))
        {
            _calls.Add(call.First, called = new GrammarFrame(call.First, _frameCount++));
            _todo.Push(new GrammarConfig(_grammar.Start(call.First), called));
        }
        GrammarConfig waiting = new(call.Next, frame);
        called.Waiting.Add(waiting);
        if (called.HasEnded)
            _todo.Push(waiting);
    }

    private void Return(GrammarFrame frame)
    {
        frame.HasEnded |= frame.IsOpen;
        foreach (GrammarConfig waiting in frame.Waiting)
            _todo.Push(waiting);
    }

    private GrammarLevel Remember(bool canEnd)
    {
        if (_places.Count == 0 && !canEnd)
            return Dead;
        GrammarConfig[] places = [.. _places.Select(place => place with { Frame = _frames.Close(place.Frame) })];
        Array.Sort(places, GrammarFrames.Compare);
        _weight += _calls.Values.Sum(static frame => frame.Waiting.Count + 4);
        GrammarLevel level = new(places, canEnd, _grammar);
        if (_levels.TryGetValue(level, out GrammarLevel? known))
            return known;
        _levels.Add(level);
        _weight += level.Weight;
        return level;
    }

    bool IEqualityComparer<GrammarLevel>.Equals(GrammarLevel? x, GrammarLevel? y) =>
        x!.CanEnd == y!.CanEnd && x.Places.AsSpan().SequenceEqual(y.Places);

    int IEqualityComparer<GrammarLevel>.GetHashCode([DisallowNull] GrammarLevel level)
    {
        HashCode hash = new();
        foreach (GrammarConfig place in level.Places)
        {
            hash.Add(place.State);
            hash.Add(place.Frame.Id);
        }
        return hash.ToHashCode();
    }
}
