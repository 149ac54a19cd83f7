using System.Text;
using CsCheck;
using OllamaMax.Inference.Native.Grammars;

namespace OllamaMax.Inference.Tests.Native.Grammars;

public sealed class GrammarMatcherTests
{
    [Fact]
    public void Follow_AnyGrammarAndText_AgreesWithTheDullestWay() =>
        Gen.Select(GrammarModel.Rules, GrammarModel.Texts.Array[1, 8]).Sample(static (rules, texts) =>
        {
            Grammar grammar = Read(GrammarModel.Gbnf(rules));
            GrammarMatcher matcher = new(grammar);

            foreach (string text in texts.Append(""))
                CanEndAfter(matcher, text).ShouldBe(GrammarModel.Matches(rules, text), $"{GrammarModel.Gbnf(rules)} with '{text}'");
        }, iter: 2000);

    [Theory]
    [InlineData("root ::= \"a\"* \"b\"", "aaab", "aaa")]
    [InlineData("root ::= \"a\" root \"b\" | \"\"", "aaabbb", "aaabb")]
    [InlineData("root ::= root \"+\" n | n\nn ::= [0-9]+", "1+22+3", "1+22+")]
    [InlineData("root ::= e root \"x\" | \"y\"\ne ::= f\nf ::= \"\"", "yxx", "xx")]
    [InlineData("root ::= root | root root | \"a\"", "aaa", "ab")]
    [InlineData("root ::= [^a-c\\]]{2,3}", "dé", "d")]
    [InlineData("root ::= \"\\x41\\u00e9\\U0001F600\\n\\t\\\\\\\"\"", "Aé😀\n\t\\\"", "A")]
    [InlineData("# a comment\nroot ::= (\n  \"a\" | # another\n  \"b\"\n){3}\n", "aba", "abab")]
    [InlineData("root ::= [a-]\r\n", "-", "b")]
    [InlineData("root ::= .", "\n", "")]
    public void Follow_Text_IsTakenOrNot(string gbnf, string follows, string not)
    {
        GrammarMatcher matcher = new(Read(gbnf));

        CanEndAfter(matcher, follows).ShouldBeTrue();
        CanEndAfter(matcher, not).ShouldBeFalse();
    }

    [Theory]
    [InlineData("", "has no rule 'root'")]
    [InlineData("answer ::= \"a\"", "has no rule 'root'")]
    [InlineData("root ::= a", "uses the rule 'a', which it does not define")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "defines the rule 'root' twice")]
    [InlineData("root = \"a\"", "is wrong at line 1, column 6: '::=' is expected")]
    [InlineData("root ::= \"a", "is wrong at line 1, column 12: the end comes too early")]
    [InlineData("root ::= (\"a\"", "is wrong at line 1, column 14: ')' is expected")]
    [InlineData("root ::= a\na ::= *", "is wrong at line 2, column 7: there is nothing to repeat")]
    [InlineData("root ::= \"a\"{5,3}", "is wrong at line 1, column 17: at least 5 and at most 3 repetitions are impossible")]
    [InlineData("root ::= \"a\"{x}", "is wrong at line 1, column 14: a number is expected")]
    [InlineData("root ::= \"a\"{99999999999999999999}", "is wrong at line 1, column 14: more than 1000000 repetitions are too many")]
    [InlineData("root ::= []", "is wrong at line 1, column 10: a set of characters is empty")]
    [InlineData("root ::= [z-a]", "is wrong at line 1, column 14: a range ends before it begins")]
    [InlineData("root ::= \"\\q\"", "is wrong at line 1, column 11: an unknown escape")]
    [InlineData("root ::= \"\\U00110000\"", "is wrong at line 1, column 13: no such character")]
    [InlineData("root ::= \"\\x4\"", "is wrong at line 1, column 13: 2 hexadecimal digits are expected")]
    [InlineData("root ::= <[5]>", "is wrong at line 1, column 10: tokens are not supported")]
    public void TryParse_Wrong_SaysWhatAndWhere(string gbnf, string message)
    {
        Grammar.TryParse(gbnf, out string? error).ShouldBeNull();
        error.ShouldBe(message);
    }

    public static TheoryData<string> Bombs { get; } = new(
        "root ::= " + new string('(', 100_000) + "\"a\"",
        "root ::= \"a\"" + new string('*', 100_000),
        "root ::= \"a\"{1000000}",
        "root ::= ((((\"a\"{1000}){1000}){1000}){1000}){1000}",
        "root ::= ((((\"\"{1000}){1000}){1000}){1000}){1000}",
        string.Concat(Enumerable.Range(0, 10_000).Select(static i => $"r{i} ::= r{i + 1}\n")) + "r10000 ::= \"a\"\nroot ::= r0",
        "root ::= " + string.Join(" | ", Enumerable.Range(0, 5000).Select(static i => $"[\\u{0x1000 + i:X4}]")),
        "root ::= \"" + new string('a', 2_000_000) + "\"");

    [Theory]
    [MemberData(nameof(Bombs), DisableDiscoveryEnumeration = true)]
    public void TryParse_Bomb_IsRefused(string gbnf)
    {
        Grammar.TryParse(gbnf, out string? error).ShouldBeNull();
        error.ShouldNotBeNull();
    }

    public static TheoryData<string> Ambiguous { get; } = new(
        "root ::= \"a\" root b | \"a\" root c | \"a\"\nb ::= \"b\"\nc ::= \"c\"",
        "root ::= root root | \"a\"",
        "root ::= root root root | \"a\" | \"\"",
        "root ::= (\"a\"* \"a\"*)*",
        "root ::= (\"a\"?){1000}",
        string.Concat(Enumerable.Range(0, 60).Select(static i => $"r{i} ::= r{i + 1} | r{i + 1} | \"a\" r{i + 1}\n")) + "r60 ::= \"a\"\nroot ::= r0*");

    [Theory]
    [MemberData(nameof(Ambiguous), DisableDiscoveryEnumeration = true)]
    public void Follow_VeryAmbiguous_GoesOnOrIsGivenUp(string gbnf)
    {
        GrammarMatcher matcher = new(Read(gbnf));
        GrammarLevel level = matcher.Begin;

        // Without the bound, or with stacks kept apart, these would take years.
        try
        {
            for (int i = 0; i < 500; i++)
            {
                matcher.BeginToken();
                level = matcher.Next(level, 'a');
                level.Places.Length.ShouldBeLessThan(GrammarMatcher.MaxWork);
            }
        }
        catch (GrammarException failure)
        {
            failure.Message.ShouldContain("too ambiguous");
        }
    }

    [Fact]
    public void Next_LongRun_IsTheSameLevelEachTime()
    {
        GrammarMatcher matcher = new(Read("root ::= \"[\" string (\",\" string)* \"]\"\nstring ::= \"'\" char* \"'\"\nchar ::= [^'\\\\] | \"\\\\\" [a-z]"));
        GrammarLevel level = Walk(matcher, "['abc");

        // Nothing is worked out twice: not for the thousandth character, not for the second string.
        matcher.Next(level, 'x').ShouldBeSameAs(level);
        Walk(matcher, "['abc','d").ShouldBeSameAs(Walk(matcher, "['abc','d','e"));
    }

    [Theory]
    [InlineData("root ::= [^\"]", new byte[] { 0xC0 })]
    [InlineData("root ::= [^\"]", new byte[] { 0xED, 0xA0 })]
    [InlineData("root ::= [^\"]", new byte[] { 0xF4, 0x90 })]
    [InlineData("root ::= [^\"]", new byte[] { 0xE0, 0x80 })]
    [InlineData("root ::= [^\"]", new byte[] { 0x80 })]
    [InlineData("root ::= [^\"]", new byte[] { 0xFF })]
    [InlineData("root ::= [^\"]", new byte[] { 0xC3, 0x41 })]
    [InlineData("root ::= [a-z]", new byte[] { 0xC3 })]
    [InlineData("root ::= \"€\"", new byte[] { 0xE2, 0x83 })]
    public void Step_BytesThatCannotBecomeUtf8OfTheGrammar_AreRefused(string gbnf, byte[] bytes)
    {
        GrammarMatcher matcher = new(Read(gbnf));
        GrammarPosition position = new(matcher.Begin, 0, 0, 0);

        foreach (byte b in bytes.SkipLast(1))
            position = position.Step(matcher, b);
        position.Follows.ShouldBeTrue();
        position.Step(matcher, bytes[^1]).Follows.ShouldBeFalse();
    }

    internal static Grammar Read(string gbnf)
    {
        Grammar? grammar = Grammar.TryParse(gbnf, out string? error);
        error.ShouldBeNull(gbnf);
        return grammar.ShouldNotBeNull();
    }

    private static GrammarLevel Walk(GrammarMatcher matcher, string text)
    {
        GrammarLevel level = matcher.Begin;
        foreach (Rune rune in text.EnumerateRunes())
            level = matcher.Next(level, rune.Value);
        return level;
    }

    // Byte by byte, as tokens come.
    private static bool CanEndAfter(GrammarMatcher matcher, string text)
    {
        GrammarPosition position = new(matcher.Begin, 0, 0, 0);
        foreach (byte next in Encoding.UTF8.GetBytes(text))
        {
            matcher.BeginToken();
            position = position.Step(matcher, next);
        }
        return position.CanEnd;
    }
}
