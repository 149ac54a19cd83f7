using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// The tokens of prompt and answer that the model sees. When it is full it drops the older half of what it need not keep, and the rest is read again (context
/// shift). Moving the rest in memory instead would be quicker, but it would leave there what it owes to the dropped tokens: then an answer that goes on
/// elsewhere could not be the same, a beginning shared with other jobs would be moved under them, and some models cannot do it at all.
/// </summary>
internal sealed class ContextWindow
{
    // Fewer would be dropped one by one, with all read again each time.
    private const int LeastMovable = 4;

    private readonly List<int> _tokens;
    private readonly int _size;
    private readonly int _keep;

    /// <param name="prompt">Tokens of the prompt, at most <paramref name="size"/>.</param>
    /// <param name="size">Tokens that there is room for.</param>
    /// <param name="keep">Tokens at the prompt's begin that stay; what leaves too little room is cut.</param>
    public ContextWindow(IReadOnlyList<int> prompt, int size, int keep)
    {
        _tokens = [.. prompt];
        _size = size;
        _keep = Math.Clamp(keep, 0, Math.Max(0, size - LeastMovable));
    }

    public int Count => _tokens.Count;

    /// <summary>Tokens that it takes until older ones have to make room.</summary>
    public int Room => Math.Max(0, _size - _tokens.Count);

    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <returns>How many tokens at the begin still stand where they stood; null when nothing was dropped.</returns>
    public int? Append(int token)
    {
        int? unmoved = null;
        if (_tokens.Count >= _size)
        {
            _tokens.RemoveRange(_keep, Math.Max(1, (_tokens.Count - _keep) / 2));
            unmoved = _keep;
        }
        _tokens.Add(token);
        return unmoved;
    }
}
