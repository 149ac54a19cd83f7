using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class JobOutputLogTests
{
    private static readonly JobOutput End = new JobOutput.Failed(new(JobErrorKind.Cancelled, "the client left"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhenEnded_BeforeOrAfterTheEnd_CalledOnceWithItAndTheTokens(bool isBefore)
    {
        JobOutputLog log = new();
        List<(JobOutput End, bool IsAccepted, int Tokens)> calls = [];
        log.Append(new JobOutput.Accepted("w1"));
        log.Append(new JobOutput.Delta("Hel", 1));

        if (isBefore)
            log.WhenEnded((end, isAccepted, tokens) => calls.Add((end, isAccepted, tokens)));
        log.Append(new JobOutput.Delta("lo", 3));
        calls.ShouldBeEmpty();
        log.Append(End);
        if (!isBefore)
            log.WhenEnded((end, isAccepted, tokens) => calls.Add((end, isAccepted, tokens)));

        calls.ShouldBe([(End, true, 3)]);
    }

    [Fact]
    public void WhenEnded_Refused_SaysThatNobodyAcceptedIt()
    {
        JobOutputLog log = new();
        bool? accepted = null;
        log.WhenEnded((_, isAccepted, _) => accepted = isAccepted);

        log.Append(End);

        accepted.ShouldBe(false);
    }
}
