using OllamaMax.Inference.Batching;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class PromptLookupTests
{
    private readonly List<int> _tokens = [];

    [Fact]
    public void Guess_NothingWasThereBefore_IsEmpty()
    {
        PromptLookup lookup = Read(1, 2, 3, 4, 5);

        Guess(lookup).ShouldBeEmpty();
    }

    [Fact]
    public void Guess_LastTokensStoodBefore_IsWhatCameThen()
    {
        PromptLookup lookup = Read(1, 2, 3, 4, 5, 9, 1, 2, 3);

        Guess(lookup).ShouldBe([4, 5, 9, 1, 2, 3]);
    }

    [Fact]
    public void Guess_TwoEqualTokensAlone_IsEmpty() => Guess(Read(1, 2, 3, 9, 1, 2)).ShouldBeEmpty();

    [Fact]
    public void Guess_StoodTwiceBefore_IsWhatCameLast() => Guess(Read(1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3))[0].ShouldBe(5);

    [Fact]
    public void Append_GuessWasRight_StaysThereThoughTheTokensStandElsewhereToo()
    {
        // 2 3 4 stands a second time, where 7 follows; whoever has come along 1 2 3 4 is in the first place.
        PromptLookup lookup = Read(1, 2, 3, 4, 5, 6, 9, 2, 3, 4, 7, 9, 1, 2, 3);

        Append(lookup, 4);

        Guess(lookup)[0].ShouldBe(5);
    }

    [Fact]
    public void Append_GuessWasWrong_LooksElsewhere()
    {
        PromptLookup lookup = Read(1, 2, 3, 4, 5, 9, 2, 3, 7, 8, 1, 2, 3);

        Append(lookup, 7);

        Guess(lookup)[0].ShouldBe(8);
    }

    [Fact]
    public void Append_RepeatsOneToken_GuessesItAgain()
    {
        PromptLookup lookup = Read(1, 1, 1, 1);

        Append(lookup, 1);

        Guess(lookup).ShouldBe([1]);
    }

    [Fact]
    public void Reliability_RightAndWrong_FollowsThem()
    {
        PromptLookup lookup = Read(1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3);
        double first = lookup.Reliability;

        foreach (int token in (int[])[4, 5, 6, 7])
            Append(lookup, token);
        double right = lookup.Reliability;
        Append(lookup, 50);

        right.ShouldBeInRange(first, 1);
        lookup.Reliability.ShouldBeInRange(0, right);
        lookup.Reliability.ShouldNotBe(right);
    }

    [Fact]
    public void Reliability_NothingGuessed_StaysAsItWas()
    {
        PromptLookup lookup = Read(1, 2, 3);
        double first = lookup.Reliability;

        Append(lookup, 4);

        lookup.Reliability.ShouldBe(first);
    }

    [Fact]
    public void Reset_TokensHaveMoved_GuessesFromWhereTheyAre()
    {
        PromptLookup lookup = Read(1, 2, 3, 4, 5, 6, 1, 2, 3);

        lookup.Reset([2, 3, 4, 1, 2, 3, 4]);

        lookup.Guess([2, 3, 4, 1, 2, 3, 4]).ToArray().ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public void Guess_OfAPrediction_IsItFromTheStart() => Guess(Predict([5, 6, 7, 8], 1, 2, 3)).ShouldBe([5, 6, 7, 8]);

    [Fact]
    public void Append_AsPredicted_GuessesTheRestOfItAndNothingBehind()
    {
        PromptLookup lookup = Predict([5, 6], 1, 2, 3);

        Append(lookup, 5);
        int[] rest = Guess(lookup);
        Append(lookup, 6);

        rest.ShouldBe([6]);
        Guess(lookup).ShouldBeEmpty();
        lookup.Reliability.ShouldBeGreaterThan(0.5);
    }

    /// <summary>What stands in the prompt as well goes on there as it is not to any more.</summary>
    [Fact]
    public void Append_AfterAChange_GoesOnInThePredictionRatherThanInThePrompt()
    {
        PromptLookup lookup = Predict([5, 6, 7, 8, 9, 10, 11], 1, 7, 8, 9, 20, 2);

        foreach (int token in (int[])[5, 40, 7, 8, 9])
            Append(lookup, token);

        Guess(lookup).ShouldBe([10, 11]);
    }

    [Fact]
    public void Reset_OfAPrediction_FindsItAgain()
    {
        PromptLookup lookup = Predict([5, 6, 7, 8, 9], 1, 2, 5, 6, 7);

        lookup.Reset([2, 5, 6, 7]);

        lookup.Guess([2, 5, 6, 7]).ToArray().ShouldBe([8, 9]);
    }

    private PromptLookup Predict(int[] predicted, params int[] tokens)
    {
        _tokens.AddRange(tokens);
        return new PromptLookup(tokens, predicted);
    }

    private PromptLookup Read(params int[] tokens)
    {
        _tokens.AddRange(tokens);
        return new PromptLookup(tokens, predicted: []);
    }

    private void Append(PromptLookup lookup, int token)
    {
        _tokens.Add(token);
        lookup.Append(_tokens.ToArray());
    }

    private int[] Guess(PromptLookup lookup) => lookup.Guess(_tokens.ToArray()).ToArray();
}
