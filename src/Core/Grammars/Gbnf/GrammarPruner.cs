namespace OllamaMax.Grammars.Gbnf;

/// <summary>
/// Takes away what no finite text can match, such as an object that must hold another of its kind: the model would be led on and on,
/// or into a place without a way out.
/// </summary>
internal sealed class GrammarPruner
{
    private readonly HashSet<GrammarRule> _finite = [];

    private GrammarPruner()
    {
    }

    /// <summary>Prunes all rules.</summary>
    /// <returns>The rules that can be finished.</returns>
    public static IReadOnlySet<GrammarRule> Prune(IReadOnlyList<GrammarRule> rules)
    {
        GrammarPruner pruner = new();
        ILookup<GrammarRule, GrammarRule> users = rules.SelectMany(
            rule => Expression.References(rule.Meaning).Distinct().Select(used => (used, rule))).ToLookup(pair => pair.used, pair => pair.rule);
        Queue<GrammarRule> open = new(rules);
        while (open.TryDequeue(out GrammarRule? rule))
        {
            if (pruner._finite.Contains(rule) || !pruner.IsFinite(rule.Meaning))
                continue;
            pruner._finite.Add(rule);
            foreach (GrammarRule user in users[rule])
                open.Enqueue(user);
        }
        foreach (GrammarRule rule in rules)
            rule.Meaning = pruner.Prune(rule.Meaning);
        return pruner._finite;
    }

    private bool IsFinite(Expression expression) => expression switch
    {
        Expression.Reference reference => _finite.Contains(reference.Rule),
        Expression.Sequence sequence => sequence.Parts.All(IsFinite),
        Expression.Choice choice => choice.Branches.Any(IsFinite),
        Expression.Repeat repeat => repeat.Least == 0 || IsFinite(repeat.Part),
        _ => true,
    };

    private Expression Prune(Expression expression) => expression switch
    {
        Expression.Reference reference when !_finite.Contains(reference.Rule) => Expression.Never,
        Expression.Sequence sequence => Expression.All(sequence.Parts.Select(Prune)),
        Expression.Choice choice => Expression.Any(choice.Branches.Select(Prune).Where(branch => !Expression.IsNever(branch))),
        Expression.Repeat repeat => Expression.Repeated(Prune(repeat.Part), repeat.Least, repeat.Most),
        _ => expression,
    };
}
