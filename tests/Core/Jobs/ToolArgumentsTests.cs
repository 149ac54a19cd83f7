using System.Text.Json;
using OllamaMax.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class ToolArgumentsTests
{
    [Theory]
    [InlineData("""{"type":"string"}""", ArgumentTypes.Texts)]
    [InlineData("""{"type":"integer"}""", ArgumentTypes.Numbers)]
    [InlineData("""{"type":["string","null"]}""", ArgumentTypes.Texts | ArgumentTypes.Nulls)]
    [InlineData("""{"enum":["1","2"]}""", ArgumentTypes.Texts)]
    [InlineData("""{"type":"string","const":"1","pattern":"("}""", ArgumentTypes.Texts)]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"array"}]}""", ArgumentTypes.Texts | ArgumentTypes.Arrays)]
    [InlineData("""{"allOf":[{"type":["string","object"]},{"type":["string","null"]}]}""", ArgumentTypes.Texts)]
    [InlineData("""{"$ref":"#/$defs/s"}""", ArgumentTypes.Texts)]
    [InlineData("""{"$ref":"#/$defs/missing"}""", ArgumentTypes.Any)]
    [InlineData("""{"$ref":"#/$defs/loop"}""", ArgumentTypes.Any)]
    [InlineData("""{"type":"string","const":1}""", ArgumentTypes.Any)]
    [InlineData("""{"type":7}""", ArgumentTypes.Any)]
    [InlineData("""{}""", ArgumentTypes.Any)]
    [InlineData("""true""", ArgumentTypes.Any)]
    public void Of_Schema_TypesThatItAllows(string schema, ArgumentTypes types)
    {
        const string loop = """{"anyOf":[{"$ref":"#/$defs/loop"},{"$ref":"#/$defs/loop"},{"$ref":"#/$defs/loop"}]}""";
        JsonElement parameters = JsonElement.Parse("{\"properties\":{\"a\":" + schema + "},\"$defs\":{\"s\":{\"type\":\"string\"},\"loop\":" + loop + "}}");

        ToolArguments.Of(parameters)["a"].ShouldBe(types);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"properties":7}""")]
    [InlineData("""{"type":"object"}""")]
    public void Of_NoProperties_None(string schema) => ToolArguments.Of(JsonElement.Parse(schema)).ShouldBeEmpty();

    [Theory]
    [InlineData(ToolCallForm.Functions, true)]
    [InlineData(ToolCallForm.Glm, true)]
    [InlineData(ToolCallForm.Dsml, false)]
    [InlineData(ToolCallForm.Hermes, false)]
    [InlineData(ToolCallForm.None, false)]
    public void Of_Form_OnlyWhereTextsHaveNoQuotes(ToolCallForm form, bool isAsked)
    {
        CallableTool tool = new("f", JsonElement.Parse("""{"properties":{"a":{"type":"string"}}}"""), IsStrict: false);

        (ToolArguments.Of(form, [tool])?["f"]["a"]).ShouldBe(isAsked ? ArgumentTypes.Texts : null);
    }
}
