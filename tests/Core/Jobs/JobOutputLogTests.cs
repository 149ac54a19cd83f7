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
        List<(JobOutput End, int Tokens)> calls = [];
        log.Append(new JobOutput.Accepted("w1"));
        log.Append(new JobOutput.Delta("Hel", 1));

        if (isBefore)
            log.WhenEnded((end, tokens) => calls.Add((end, tokens)));
        log.Append(new JobOutput.Delta("lo", 3));
        calls.ShouldBeEmpty();
        log.Append(End);
        if (!isBefore)
            log.WhenEnded((end, tokens) => calls.Add((end, tokens)));

        calls.ShouldBe([(End, 3)]);
    }
}
