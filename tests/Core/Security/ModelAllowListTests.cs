using OllamaMax.Models;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class ModelAllowListTests
{
    [Theory]
    [InlineData("demo", true)]
    [InlineData("DEMO:latest", true)]
    [InlineData("demo:7b", false)]
    [InlineData("qwen3:4b", true)]
    [InlineData("qwen3-coder:30b", true)]
    [InlineData("qwen2:4b", false)]
    [InlineData("other/demo", false)]
    [InlineData("hf.co/org/repo:Q4", true)]
    public void Allows_Names_ThoseOfTheListAndItsBeginnings(string name, bool isAllowed) =>
        new ModelAllowList(["demo", "Qwen3*", "hf.co/org/*"]).Allows(ModelName.Parse(name)).ShouldBe(isAllowed);

    [Fact]
    public void Allows_Alias_ByItsOwnNameOrTheModels()
    {
        ModelName demo = ModelName.Parse("demo");

        new ModelAllowList(["gpt-4o"]).Allows("gpt-4o", demo).ShouldBeTrue();
        new ModelAllowList(["demo"]).Allows("gpt-4o", demo).ShouldBeTrue();
        new ModelAllowList(["gpt-4o"]).Allows("demo", demo).ShouldBeFalse();
        new ModelAllowList([]).Allows("demo", demo).ShouldBeFalse();
        ModelAllowList.All.Allows("demo", demo).ShouldBeTrue();
    }

    [Theory]
    [InlineData("a b", false)]
    [InlineData("", false)]
    [InlineData("*", true)]
    [InlineData("demo", true)]
    public void FindError_Pattern_OnlyWhatIsNoName(string pattern, bool isGood) => (ModelAllowList.FindError(pattern) is null).ShouldBe(isGood);
}
