using CsCheck;

namespace OllamaMax.Inference.Tests.Native.Grammars;

/// <summary>
/// Grammars as plain values, with the dullest way to say whether a text follows one: all ends of all nodes, until nothing changes. It shares
/// nothing with what is tested, and is right for any grammar, left-recursive ones too.
/// </summary>
internal abstract record GrammarModel
{
    public sealed record Literal(string Text) : GrammarModel;

    public sealed record Set(string Characters, bool Negated) : GrammarModel;

    public sealed record Sequence(GrammarModel[] Items) : GrammarModel;

    public sealed record Choice(GrammarModel[] Items) : GrammarModel;

    public sealed record Repeat(GrammarModel Item, int Least, int? Most) : GrammarModel;

    public sealed record Reference(int Rule) : GrammarModel;

    private static readonly string[] s_runes = ["a", "b", "\"", "]", "-", "\\", "é", "€", "😀"];

    private static readonly Gen<string> Runes = Gen.Int[0, s_runes.Length - 1].Select(static i => s_runes[i]);

    /// <summary>Up to three rules; the first is the root.</summary>
    public static Gen<GrammarModel[]> Rules { get; } = Node(3).Array[1, 3];

    /// <summary>Texts of the characters that the grammars are made of.</summary>
    public static Gen<string> Texts { get; } = Runes.Array[0, 8].Select(static runes => string.Concat(runes));

    public static string Gbnf(GrammarModel[] rules) =>
        string.Concat(rules.Select((rule, i) => $"{Name(i)} ::= {rule.Gbnf(rules.Length)}\n"));

    public static bool Matches(GrammarModel[] rules, string text)
    {
        string[] runes = [.. text.EnumerateRunes().Select(static rune => rune.ToString())];
        HashSet<(int Rule, int Start, int End)> known = [];
        for (int before = -1; before < known.Count;)
        {
            before = known.Count;
            for (int rule = 0; rule < rules.Length; rule++)
            {
                for (int start = 0; start <= runes.Length; start++)
                {
                    foreach (int end in rules[rule].Ends(runes, [start], known, rules.Length))
                        known.Add((rule, start, end));
                }
            }
        }
        return known.Contains((0, 0, runes.Length));
    }

    private static string Name(int rule) => rule == 0 ? "root" : $"r{rule}";

    private static Gen<GrammarModel> Node(int depth)
    {
        Gen<GrammarModel> literal = Runes.Array[0, 2].Select(GrammarModel (runes) => new Literal(string.Concat(runes)));
        Gen<GrammarModel> set = Gen.Select(Runes.Array[1, 2], Gen.Bool).Select(GrammarModel (pair) => new Set(string.Concat(pair.Item1.Distinct()), pair.Item2));
        Gen<GrammarModel> reference = Gen.Int[0, 2].Select(GrammarModel (rule) => new Reference(rule));
        if (depth == 0)
            return Gen.OneOf(literal, set, reference);
        Gen<GrammarModel> inner = Node(depth - 1);
        return Gen.OneOf(
            literal,
            set,
            reference,
            inner.Array[0, 3].Select(GrammarModel (items) => new Sequence(items)),
            inner.Array[1, 3].Select(GrammarModel (items) => new Choice(items)),
            Gen.Select(inner, Gen.Int[0, 2], Gen.Int[0, 2], Gen.Bool).Select(
                GrammarModel (all) => new Repeat(all.Item1, all.Item2, all.Item4 ? all.Item2 + all.Item3 : null)));
    }

    private string Gbnf(int rules) => this switch
    {
        Literal literal => $"\"{string.Concat(literal.Text.EnumerateRunes().Select(static rune => Escaped(rune.ToString())))}\"",
        Set set => $"[{(set.Negated ? "^" : "")}{string.Concat(set.Characters.EnumerateRunes().Select(static rune => Escaped(rune.ToString())))}]",
        Sequence sequence => $"({string.Join(' ', sequence.Items.Select(item => item.Gbnf(rules)))})",
        Choice choice => $"({string.Join("\n | ", choice.Items.Select(item => item.Gbnf(rules)))})",
        Repeat { Least: 0, Most: null } repeat => $"({repeat.Item.Gbnf(rules)})*",
        Repeat { Most: null } repeat => $"({repeat.Item.Gbnf(rules)}){{{repeat.Least},}}",
        Repeat repeat => $"({repeat.Item.Gbnf(rules)}){{{repeat.Least},{repeat.Most}}}",
        Reference reference => Name(reference.Rule % rules),
        _ => throw new InvalidOperationException(),
    };

    private static string Escaped(string rune) => rune switch
    {
        "\"" or "]" or "-" or "\\" => "\\" + rune,
        "é" => "\\xE9",
        "€" => "\\u20AC",
        _ => rune,
    };

    private HashSet<int> Ends(string[] text, HashSet<int> starts, HashSet<(int Rule, int Start, int End)> known, int rules) => this switch
    {
        Literal literal => literal.Text.EnumerateRunes().Aggregate(starts, (at, rune) => Step(text, at, next => next == rune.ToString())),
        Set set => Step(text, starts, next => set.Characters.EnumerateRunes().Any(rune => rune.ToString() == next) != set.Negated),
        Sequence sequence => sequence.Items.Aggregate(starts, (at, item) => item.Ends(text, at, known, rules)),
        Choice choice => [.. choice.Items.SelectMany(item => item.Ends(text, starts, known, rules))],
        Repeat repeat => RepeatEnds(repeat, text, starts, known, rules),
        Reference reference => [.. known.Where(call => call.Rule == reference.Rule % rules && starts.Contains(call.Start)).Select(static call => call.End)],
        _ => throw new InvalidOperationException(),
    };

    private static HashSet<int> RepeatEnds(Repeat repeat, string[] text, HashSet<int> starts, HashSet<(int Rule, int Start, int End)> known, int rules)
    {
        for (int i = 0; i < repeat.Least; i++)
            starts = repeat.Item.Ends(text, starts, known, rules);
        HashSet<int> ends = [.. starts];
        // More rounds than characters find nothing new.
        for (int i = 0; i < (repeat.Most - repeat.Least ?? text.Length + 1); i++)
        {
            starts = repeat.Item.Ends(text, starts, known, rules);
            ends.UnionWith(starts);
        }
        return ends;
    }

    private static HashSet<int> Step(string[] text, HashSet<int> starts, Func<string, bool> fits) =>
        [.. starts.Where(start => start < text.Length && fits(text[start])).Select(static start => start + 1)];
}
