using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Gbnf;

/// <summary>
/// JSON's own rules (RFC 8259), narrowed to what a model should write. Whitespace is bounded, since models otherwise go on with it for
/// ever: between the parts of an object or array nothing, one space, or a new line with at most 20 spaces and tabs; none
/// elsewhere, and none before or after the answer. Numbers have at most 18 digits, 15 before and after the point where they
/// have one, and two in the exponent: no reader loses one. Escapes never make half a surrogate pair.
/// </summary>
internal sealed class JsonRules
{
    private const string Quote = "\"";
    private const string ShortEscaped = "\"\\\b\f\n\r\t";
    private const string ShortEscapes = "\"\\bfnrt";

    private static readonly CharSet s_hex = CharSet.Of("0123456789abcdefABCDEF");
    private static readonly CharSet s_digits = CharSet.Of([('0', '9')]);
    private static readonly CharSet s_controls = CharSet.Of([(0, 0x1F)]);
    private static readonly CharSet s_mustEscape = s_controls.Union(CharSet.Of("\"\\"));

    private readonly Grammar _grammar;
    private readonly Dictionary<string, GrammarRule> _rules = new(StringComparer.Ordinal);

    public JsonRules(Grammar grammar) => _grammar = grammar;

    public Expression Space => Rule("ws", () => Expression.Any(
        Expression.Empty,
        Expression.Text(" "),
        Expression.All(Expression.Text("\n"), Expression.Repeated(Expression.Of(CharSet.Of(" \t")), 0, 20))));

    public static Expression Null => Expression.Text("null");

    public Expression Boolean => Rule("boolean", () => Expression.Any(Expression.Text("true"), Expression.Text("false")));

    public Expression Integer => Rule("integer", () => Expression.All(Optional("-"), Whole(18)));

    public Expression Number => Rule("number", () => Expression.All(
        Optional("-"),
        Whole(15),
        Expression.Optional(Expression.All(Expression.Text("."), Expression.Repeated(Expression.Of(s_digits), 1, 15))),
        Expression.Optional(Expression.All(
            Expression.Of(CharSet.Of("eE")), Expression.Optional(Expression.Of(CharSet.Of("+-"))), Expression.Repeated(Expression.Of(s_digits), 1, 2)))));

    /// <summary>One character of a string, any: as itself or escaped.</summary>
    public Expression Character => Rule("char", () => Expression.Any(
        Expression.Of(CharSet.All.Except(s_mustEscape)),
        Expression.All(Expression.Text("\\"), Expression.Any(
            Expression.Of(CharSet.Of(ShortEscapes + "/")),
            Expression.All(Expression.Text("u"), Expression.Any(
                Expression.All(Expression.Of(s_hex.Except(CharSet.Of("dD"))), Hex(3)),
                Expression.All(Expression.Of(CharSet.Of("dD")), Expression.Of(CharSet.Of("01234567")), Hex(2)),
                Expression.All(Expression.Of(CharSet.Of("dD")), Expression.Of(CharSet.Of("89abAB")), Hex(2),
                    Expression.Text("\\u"), Expression.Of(CharSet.Of("dD")), Expression.Of(CharSet.Of("cdefCDEF")), Hex(2))))))));

    public Expression String => Rule("string", () => Quoted(Expression.Repeated(Character, 0, null)));

    public Expression Object => Rule("object", () => Within("{", "}", Member(String, Value)));

    public Expression Array => Rule("array", () => Within("[", "]", Value));

    public Expression Value => Rule("value", () => Expression.Any(Object, Array, String, Number, Boolean, Null));

    public static Expression Quoted(Expression content) => Expression.All(Expression.Text(Quote), content, Expression.Text(Quote));

    /// <summary>The text in quotes, of which the automaton knows the characters as they are meant.</summary>
    public Expression Quoted(Automaton automaton, string hint) => Expression.All(
        Expression.Text(Quote), AutomatonExpression.Of(automaton, _grammar, hint, Encode, Expression.Text(Quote)));

    /// <summary>A text without quotes.</summary>
    public Expression Plain(Automaton automaton, string hint) =>
        AutomatonExpression.Of(automaton, _grammar, hint, Expression.Of, Expression.Empty);

    public Expression Member(Expression name, Expression value) => Expression.All(name, Expression.Text(":"), Space, value);

    public Expression Comma(Expression item) => Expression.All(Expression.Text(","), Space, item);

    public Expression Enclosed(string open, Expression content, string close) =>
        Expression.All(Expression.Text(open), Space, content, Space, Expression.Text(close));

    public Expression Nothing(string open, string close) => Expression.All(Expression.Text(open), Space, Expression.Text(close));

    private Expression Within(string open, string close, Expression item) => Expression.All(
        Expression.Text(open), Space,
        Expression.Optional(Expression.All(item, Expression.Repeated(Comma(item), 0, null), Space)),
        Expression.Text(close));

    /// <summary>One of these characters in a string: as itself where it may stand there, else by its short or only escape.</summary>
    private Expression Encode(CharSet set)
    {
        if (set.Equals(CharSet.All))
            return Character;
        CharSet escaped = set.Intersect(s_mustEscape);
        Expression asItself = Expression.Of(set.Except(s_mustEscape));
        if (escaped.IsEmpty)
            return asItself;
        Expression asEscape = escaped.Equals(s_mustEscape) ? Rule("escape", () => Escape(s_mustEscape)) : Escape(escaped);
        return Expression.IsNever(asItself) ? asEscape : Expression.Any(asItself, asEscape);
    }

    private static Expression Escape(CharSet set)
    {
        CharSet letters = CharSet.Of(string.Concat(ShortEscaped.Zip(ShortEscapes).Where(pair => set.Contains(pair.First)).Select(pair => pair.Second)));
        CharSet others = set.Except(CharSet.Of(ShortEscaped));
        List<Expression> ways = [];
        if (!letters.IsEmpty)
            ways.Add(Expression.Of(letters));
        for (int high = 0; high <= 1; high++)
        {
            CharSet low = CharSet.Of(string.Concat(
                Enumerable.Range(0, 16).Where(digit => others.Contains((high * 16) + digit)).Select(digit => $"{digit:x}{digit:X}")));
            if (!low.IsEmpty)
                ways.Add(Expression.All(Expression.Text($"u00{high}"), Expression.Of(low)));
        }
        return Expression.All(Expression.Text("\\"), Expression.Any(ways));
    }

    private static Expression Whole(int digits) => Expression.Any(
        Expression.Text("0"),
        Expression.All(Expression.Of(CharSet.Of([('1', '9')])), Expression.Repeated(Expression.Of(s_digits), 0, digits - 1)));

    private static Expression Hex(int digits) => Expression.Repeated(Expression.Of(s_hex), digits, digits);

    private static Expression Optional(string text) => Expression.Optional(Expression.Text(text));

    /// <summary>Named before it is made, since values contain values.</summary>
    private Expression Rule(string name, Func<Expression> meaning)
    {
        if (!_rules.TryGetValue(name, out GrammarRule? rule))
        {
            rule = _rules[name] = _grammar.Add(name);
            rule.Meaning = meaning();
        }
        return Expression.Of(rule);
    }
}
