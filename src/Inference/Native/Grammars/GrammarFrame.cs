namespace OllamaMax.Inference.Native.Grammars;

/// <summary>A place in a grammar: a state, and where to go on when its rule ends.</summary>
internal readonly record struct GrammarConfig(int State, GrammarFrame Frame);

/// <summary>
/// One call of a rule, and all places that wait for its end: a node of a graph-structured stack (Tomita 1985). It changes while
/// the character that it was called at is taken, and never after.
/// </summary>
internal sealed class GrammarFrame(int rule, int id)
{
    public int Rule => rule;

    /// <summary>Grows with each frame: an order that does not depend on memory.</summary>
    public int Id => id;

    public List<GrammarConfig> Waiting { get; } = [];

    /// <summary>The character that it was called at is still being taken.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>Its rule can be empty and ended at once: who comes to wait goes on at once as well.</summary>
    public bool HasEnded { get; set; }

    /// <summary>What stands for it after it is closed; see <see cref="GrammarFrames"/>.</summary>
    public GrammarFrame? Canonical { get; set; }
}
