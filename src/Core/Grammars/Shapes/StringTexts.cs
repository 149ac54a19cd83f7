using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Shapes;

/// <summary>All that a string must satisfy, in one automaton.</summary>
internal static class StringTexts
{
    /// <returns>Null where only the length matters: a repetition says that in fewer rules.</returns>
    /// <exception cref="AutomatonTooLargeException">Together it is too large.</exception>
    public static Automaton? Of(StringShape shape)
    {
        if (shape.Texts.Count == 0)
            return null;
        Automaton texts = shape.Texts.Skip(1).Aggregate(shape.Texts[0], (all, next) => all.Intersect(next));
        // Most formats are shorter than the most that is allowed, which then says nothing.
        int? most = texts.LongestText <= shape.Most ? null : shape.Most;
        if (shape.Least == 0 && most is null)
            return texts;
        if (shape.Least > GrammarLimits.States || most > GrammarLimits.States)
            throw new AutomatonTooLargeException();
        return texts.Intersect(Automaton.Lengths(shape.Least, most));
    }
}
