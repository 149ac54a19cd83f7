using OllamaMax.Orchestrations.Tests.Support;

namespace OllamaMax.Orchestrations.Tests;

/// <summary>Orchestrators are run again from their begin: what they ask of the world would be answered differently then.</summary>
public sealed class GuardTests
{
    [Fact]
    public void Orchestrations_InAllTheirCode_AskNothingOfTheWorld() =>
        Calls.Forbidden(typeof(Orchestrations.Strategies).Assembly.Location).ShouldBeEmpty();

    [Fact]
    public void Guard_OnCodeThatDoes_FindsIt()
    {
        IReadOnlyList<string> found = Calls.Forbidden(typeof(TaskHub.Hosting.TaskRegistry).Assembly.Location);

        found.ShouldContain("System.Guid.NewGuid");
        found.ShouldContain("System.Threading.Tasks.Task.Run");
        found.ShouldContain("System.TimeProvider");
        found.ShouldContain(name => name.StartsWith("Azure.", StringComparison.Ordinal));
    }
}
