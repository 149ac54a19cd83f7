using System.Text;

namespace OllamaMax.TestKit.Grammars;

/// <summary>Draws texts that a grammar leads to.</summary>
public sealed class GbnfSampler
{
    /// <summary>A longer text is brought to its end the shortest way; answers would else grow without bound wherever two values make one.</summary>
    private const int LongText = 1_500;

    private const string Unusual = "\t\u007Fé€日😀";

    private readonly IReadOnlyDictionary<string, GbnfNode> _rules;
    private readonly Dictionary<string, int> _depths;
    private readonly Random _random;
    private readonly StringBuilder _text = new();

    public GbnfSampler(string grammar, Random random)
    {
        (_rules, _random) = (GbnfReader.Read(grammar), random);
        // How many rules within one another a rule takes at least: the way out, when a text has become deep.
        _depths = _rules.Keys.ToDictionary(name => name, _ => int.MaxValue, StringComparer.Ordinal);
        bool hasChanged = true;
        while (hasChanged)
        {
            hasChanged = false;
            // Backwards, since rules mostly refer to later ones.
            foreach ((string name, GbnfNode node) in _rules.Reverse())
            {
                int depth = Depth(node);
                hasChanged |= depth < _depths[name];
                _depths[name] = depth;
            }
        }
    }

    /// <param name="depth">Rules within one another, from which on the shortest way out is taken.</param>
    public string Sample(int depth = 40)
    {
        _text.Clear();
        Write(_rules["root"], depth);
        return _text.ToString();
    }

    private int Depth(GbnfNode node) => node switch
    {
        GbnfNode.Reference reference => _depths[reference.Name] is var depth and < int.MaxValue ? depth + 1 : int.MaxValue,
        GbnfNode.Sequence sequence => sequence.Parts.Select(Depth).DefaultIfEmpty(0).Max(),
        GbnfNode.Choice choice => choice.Branches.Min(Depth),
        GbnfNode.Repeat repeat => repeat.Least == 0 ? 0 : Depth(repeat.Part),
        _ => 0,
    };

    private void Write(GbnfNode node, int depth)
    {
        depth = _text.Length > LongText ? 0 : depth;
        switch (node)
        {
            case GbnfNode.Characters characters:
                _text.Append(new Rune(Draw(characters)).ToString());
                break;
            case GbnfNode.Sequence sequence:
                foreach (GbnfNode part in sequence.Parts)
                    Write(part, depth);
                break;
            case GbnfNode.Choice choice:
                GbnfNode[] ways = [.. choice.Branches.Where(branch => Depth(branch) <= Math.Max(depth, Depth(choice)))];
                Write(ways[_random.Next(ways.Length)], depth);
                break;
            case GbnfNode.Repeat repeat:
                for (int times = Times(repeat, depth); times > 0; times--)
                    Write(repeat.Part, depth);
                break;
            case GbnfNode.Reference reference:
                Write(_rules[reference.Name], depth - 1);
                break;
        }
    }

    private int Times(GbnfNode.Repeat repeat, int depth)
    {
        if (Depth(repeat.Part) > depth)
            return repeat.Least;
        int times = repeat.Least;
        while (times < (repeat.Most ?? int.MaxValue) && _random.Next(3) > 0)
            times++;
        return times;
    }

    /// <summary>Mostly what can be read, sometimes what is rare, sometimes a border.</summary>
    private int Draw(GbnfNode.Characters characters)
    {
        (int From, int To)[] readable = [.. characters.Ranges.Where(range => range.To >= ' ' && range.From < 0x7F)
            .Select(range => (Math.Max(range.From, ' '), Math.Min(range.To, 0x7E)))];
        int[] unusual = [.. Unusual.EnumerateRunes().Select(rune => rune.Value).Where(characters.Contains)];
        int kind = _random.Next(20);
        if (kind > 1 && readable.Length > 0)
        {
            (int from, int to) = readable[_random.Next(readable.Length)];
            return _random.Next(from, to + 1);
        }
        if (kind == 1 && unusual.Length > 0)
            return unusual[_random.Next(unusual.Length)];
        (int first, int last) = characters.Ranges[_random.Next(characters.Ranges.Count)];
        return _random.Next(2) == 0 ? first : last;
    }
}
