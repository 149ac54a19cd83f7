using OllamaMax.Inference.Batching;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class ContextWindowTests
{
    [Fact]
    public void Append_WithRoom_MovesNothing()
    {
        ContextWindow window = new([1, 2, 3], size: 8, keep: 1);

        window.Append(4).ShouldBeNull();

        window.Tokens.ToArray().ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public void Append_Full_DropsTheOlderHalfOfWhatNeedNotStay()
    {
        ContextWindow window = new([1, 2, 3, 4, 5, 6, 7, 8], size: 8, keep: 2);

        window.Append(9).ShouldBe(2);

        window.Tokens.ToArray().ShouldBe([1, 2, 6, 7, 8, 9]);
    }

    [Fact]
    public void Append_AllIsToStay_StillMakesRoom()
    {
        ContextWindow window = new([1, 2, 3, 4, 5, 6, 7, 8], size: 8, keep: 8);

        window.Append(9).ShouldBe(4);

        window.Tokens.ToArray().ShouldBe([1, 2, 3, 4, 7, 8, 9]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Append_VerySmall_NeverGrowsBeyondItsSize(int size)
    {
        ContextWindow window = new([1], size, keep: 1);
        for (int token = 2; token < 40; token++)
        {
            window.Append(token);
            window.Count.ShouldBeInRange(1, size);
            window.Tokens[^1].ShouldBe(token);
        }
    }
}
