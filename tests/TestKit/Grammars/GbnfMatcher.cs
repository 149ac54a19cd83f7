namespace OllamaMax.TestKit.Grammars;

/// <summary>Says whether a grammar leads to a text. Rules must not begin with themselves, as llama.cpp asks too.</summary>
public sealed class GbnfMatcher
{
    private readonly IReadOnlyDictionary<string, GbnfNode> _rules;
    private readonly int[] _text;
    private readonly Dictionary<(string, int), HashSet<int>> _known = [];

    private GbnfMatcher(IReadOnlyDictionary<string, GbnfNode> rules, string text)
    {
        _rules = rules;
        _text = [.. text.EnumerateRunes().Select(rune => rune.Value)];
    }

    public static bool Matches(string grammar, string text)
    {
        GbnfMatcher matcher = new(GbnfReader.Read(grammar), text);
        return matcher.Ends(matcher._rules["root"], 0).Contains(matcher._text.Length);
    }

    /// <summary>Where the node may end that begins here.</summary>
    private HashSet<int> Ends(GbnfNode node, int at)
    {
        switch (node)
        {
            case GbnfNode.Characters characters:
                return at < _text.Length && characters.Contains(_text[at]) ? [at + 1] : [];
            case GbnfNode.Sequence sequence:
                return sequence.Parts.Aggregate(new HashSet<int> { at }, (ends, part) => [.. ends.SelectMany(end => Ends(part, end))]);
            case GbnfNode.Choice choice:
                return [.. choice.Branches.SelectMany(branch => Ends(branch, at))];
            case GbnfNode.Repeat repeat:
                return EndsOf(repeat, at);
            default:
                string name = ((GbnfNode.Reference)node).Name;
                if (!_known.TryGetValue((name, at), out HashSet<int>? known))
                    known = _known[(name, at)] = Ends(_rules[name], at);
                return known;
        }
    }

    private HashSet<int> EndsOf(GbnfNode.Repeat repeat, int at)
    {
        HashSet<int> ends = [], last = [at];
        for (int times = 0; last.Count > 0 && (repeat.Most is null || times <= repeat.Most); times++)
        {
            if (times >= repeat.Least)
                ends.UnionWith(last);
            last = [.. last.SelectMany(end => Ends(repeat.Part, end).Where(next => next > end))];
        }
        return ends;
    }
}
