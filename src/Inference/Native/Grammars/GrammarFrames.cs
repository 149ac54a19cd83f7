using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>
/// Closed frames, each only once: two calls of a rule that go on in the same places are one. That is what makes the levels of a
/// text such as a long string the same object at each character.
/// </summary>
internal sealed class GrammarFrames : IEqualityComparer<GrammarFrame>
{
    private readonly HashSet<GrammarFrame> _known;

    public GrammarFrames() => _known = new HashSet<GrammarFrame>(this);

    public void Clear() => _known.Clear();

    /// <summary>Closes a frame and all those it waits in.</summary>
    /// <returns>The frame that stands for it.</returns>
    public GrammarFrame Close(GrammarFrame frame)
    {
        if (frame.Canonical is { } canonical)
            return canonical;
        if (!frame.IsOpen)
            return frame;
        // Left recursion leads back here before the end. Such frames are new each time: nothing known waits in them.
        frame.IsOpen = false;
        for (int i = 0; i < frame.Waiting.Count; i++)
            frame.Waiting[i] = frame.Waiting[i] with { Frame = Close(frame.Waiting[i].Frame) };
        frame.Waiting.Sort(static (a, b) => Compare(a, b));
        if (_known.TryGetValue(frame, out GrammarFrame? known))
            return frame.Canonical = known;
        _known.Add(frame);
        return frame.Canonical = frame;
    }

    public static int Compare(GrammarConfig a, GrammarConfig b) =>
        a.State != b.State ? a.State.CompareTo(b.State) : a.Frame.Id.CompareTo(b.Frame.Id);

    bool IEqualityComparer<GrammarFrame>.Equals(GrammarFrame? x, GrammarFrame? y) =>
        x!.Rule == y!.Rule && CollectionsMarshal.AsSpan(x.Waiting).SequenceEqual(CollectionsMarshal.AsSpan(y.Waiting));

    int IEqualityComparer<GrammarFrame>.GetHashCode([DisallowNull] GrammarFrame frame)
    {
        HashCode hash = new();
        hash.Add(frame.Rule);
        foreach (GrammarConfig waiting in frame.Waiting)
        {
            hash.Add(waiting.State);
            hash.Add(waiting.Frame.Id);
        }
        return hash.ToHashCode();
    }
}
