using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using OllamaMax.Edge.Aliases;

namespace OllamaMax.Edge.Tests.Aliases;

public sealed class AliasOptionsTests
{
    [Fact]
    public void Validate_AliasesOfAliases_AreFine() => Errors("gpt=big,small; big=qwen:72b,small; small=demo").ShouldBeEmpty();

    [Theory]
    [InlineData("gpt=gpt", "alias 'gpt:latest' comes back to itself, through 'gpt:latest'")]
    [InlineData("gpt", "alias 'gpt' names no model: it is written gpt=model,model")]
    [InlineData("gpt= , ", "alias 'gpt' names no model: it is written gpt=model,model")]
    [InlineData("a b=demo", "alias 'a b': invalid model name 'a b': it has a character in its name that is not allowed there")]
    [InlineData("gpt=de mo,demo", "alias 'gpt': invalid model name 'de mo': it has a character in its name that is not allowed there")]
    [InlineData("gpt=demo; gpt:latest=demo", "alias 'gpt:latest' and alias 'gpt' are one name")]
    public void Validate_Wrong_SaysWhat(string aliases, string error) => Errors(aliases).ShouldHaveSingleItem().ShouldBe(error);

    [Fact]
    public void Validate_LongerCycle_EachAliasInItIsTold() => Errors("a=demo,b; b=c; c=demo,A; d=a").ShouldBe(
        ["alias 'a:latest' comes back to itself, through 'c:latest'", "alias 'b:latest' comes back to itself, through 'A:latest'", "alias 'c:latest' comes back to itself, through 'b:latest'"]);

    [Fact]
    public void Read_Configuration_TakesNamesWithTagsAndTheSectionsOwnValue()
    {
        AliasOptions options = new();

        options.Read(Configuration(
            ("OllamaMax:Aliases", "one=demo; two=demo"), ("OllamaMax:Aliases:two", "qwen:7b, demo"), ("OllamaMax:Aliases:gpt:mini", "demo")));

        options.Chains.ShouldBe(new Dictionary<string, string> { ["one"] = "demo", ["two"] = "qwen:7b, demo", ["gpt:mini"] = "demo" }, ignoreOrder: true);
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();

    private static string[] Errors(string aliases)
    {
        AliasOptions options = new();
        options.Add(aliases);
        return [.. options.Validate(new ValidationContext(options)).Select(error => error.ErrorMessage!)];
    }
}
