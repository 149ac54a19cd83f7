using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Jobs.Strategies;

namespace OllamaMax.Orchestrations.Tests.Edge;

public sealed class TextSplitterTests
{
    private static readonly string Book = string.Concat(Enumerable.Range(0, 5000).Select(i => $"word{i} and another one.\n"));

    [Fact]
    public void Split_WithoutOverlap_IsTheTextInPieces()
    {
        IReadOnlyList<string> parts = TextSplitter.Split(Book, 1000, 0);

        string.Concat(parts).ShouldBe(Book);
        parts.Count.ShouldBeGreaterThan(10);
        parts.ShouldAllBe(part => TokenEstimate.Of(part) <= 1000);
        parts.SkipLast(1).ShouldAllBe(part => TokenEstimate.Of(part) > 900);
    }

    [Fact]
    public void Split_WithOverlap_RepeatsTheEndOfEachPart()
    {
        IReadOnlyList<string> parts = TextSplitter.Split(Book, 1000, 100);

        foreach (var (before, after) in parts.Zip(parts.Skip(1)))
        {
            int repeated = Enumerable.Range(1, after.Length).Last(length => before.EndsWith(after[..length], StringComparison.Ordinal));
            TokenEstimate.Of(after[..repeated]).ShouldBeInRange(60, 100);
        }
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("short", 1)]
    [InlineData("   \n ", 1)]
    public void Split_OfLittle_IsOnePartOrNone(string text, int parts) =>
        TextSplitter.Split(text, 16, 4).ShouldBe(parts == 0 ? [] : [text]);

    [Fact]
    public void Split_WithoutSpaces_CutsBetweenCharacters()
    {
        string text = string.Concat(Enumerable.Repeat("漢字😀", 500));

        IReadOnlyList<string> parts = TextSplitter.Split(text, 16, 0);

        string.Concat(parts).ShouldBe(text);
        parts.Count.ShouldBeGreaterThan(50);
        parts.ShouldAllBe(part => !char.IsLowSurrogate(part.First()) && !char.IsHighSurrogate(part.Last()));
    }
}
