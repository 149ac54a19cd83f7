namespace OllamaMax.Bench.Tests;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("dispatch")]
    [InlineData("placement")]
    [InlineData("auth")]
    [InlineData("failover")]
    [InlineData("hub")]
    public async Task Run_GpuWithAnotherBenchThanTheEngines_IsRefusedBeforeItBegins(string bench)
    {
        string[] arguments = [bench, "--quick", "--gpu"];

        BenchCommand.Create().Parse(arguments).Errors.ShouldHaveSingleItem().Message.ShouldBe("--gpu is for engine alone");

        (await BenchCommand.Create().Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken)).ShouldNotBe(0);
    }

    [Fact]
    public void Parse_LargeWithoutGpu_IsRefused() =>
        BenchCommand.Create().Parse(["engine", "--large"]).Errors.ShouldHaveSingleItem().Message.ShouldStartWith("--large is for --gpu");

    [Theory]
    [InlineData("engine")]
    [InlineData("engine", "--quick", "--gpu")]
    [InlineData("engine", "--gpu", "--large")]
    [InlineData("hub", "--quick")]
    public void Parse_OptionsThatGoTogether_AreTaken(params string[] arguments) => BenchCommand.Create().Parse(arguments).Errors.ShouldBeEmpty();
}
