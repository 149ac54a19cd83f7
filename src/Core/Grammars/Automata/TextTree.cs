using System.Text;

namespace OllamaMax.Grammars.Automata;

/// <summary>Texts by their beginnings.</summary>
internal sealed class TextTree
{
    private readonly SortedDictionary<int, TextTree> _next = [];

    public bool Ends { get; private set; }

    public IEnumerable<(CharSet, TextTree)> Edges => _next.Select(pair => (CharSet.Of(pair.Key), pair.Value));

    public void Add(string text)
    {
        TextTree at = this;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!at._next.TryGetValue(rune.Value, out TextTree? next))
                at._next[rune.Value] = next = new TextTree();
            at = next;
        }
        at.Ends = true;
    }
}
