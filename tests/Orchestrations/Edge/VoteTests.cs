using OllamaMax.Edge.Jobs.Strategies;

namespace OllamaMax.Orchestrations.Tests.Edge;

public sealed class VoteTests
{
    [Fact]
    public void Count_OfAField_TakesTheMost() =>
        Count("answer", """{"answer":1}""", """{"answer":2,"why":"x"}""", """{"why":"y","answer":2}""").ShouldBe(new VoteOutcome("1", "2", 2, 3));

    [Fact]
    public void Count_OfTheWhole_DoesNotMindTheOrderOfFields() =>
        Count(null, """{"a":1,"b":[1,{"x":null,"y":2}]}""", """{ "b": [1, {"y":2,"x":null}], "a": 1 }""", "{}")
            .ShouldBe(new VoteOutcome("0", """{"a":1,"b":[1,{"x":null,"y":2}]}""", 2, 3));

    [Fact]
    public void Count_Tied_TakesTheFirst() => Count("a", """{"a":"x"}""", """{"a":"y"}""").ShouldBe(new VoteOutcome("0", "\"x\"", 1, 2));

    [Fact]
    public void Count_OfWhatIsNoVote_LeavesItOut() =>
        Count("a", "text", """{"b":1}""", null, """{"a":null}""", """{"a":1}""", "[1]").ShouldBe(new VoteOutcome("4", "1", 1, 6));

    [Fact]
    public void Count_WithoutAnyVote_HasNoWinner() => Count("a", "text", "{}").ShouldBe(new VoteOutcome(null, null, 0, 2));

    private static VoteOutcome Count(string? field, params string?[] answers) => CountVotes.Count([.. answers.Select((text, i) => ($"{i}", text))], field);
}
