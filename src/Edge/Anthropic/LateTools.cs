using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// Tools that a conversation brings in while it goes on, described where it does so: were they among the others, the prompt would begin anew
/// (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/tool-search-tool).
/// </summary>
/// <param name="deferred">Those that the request defers, by their names, in OpenAI's form.</param>
internal sealed class LateTools(IReadOnlyDictionary<string, JsonElement> deferred)
{
    /// <summary>What a block <c>tool_reference</c> says to the model; a tool that it has seen already is only named.</summary>
    public string ReadReference(JsonFields block)
    {
        string name = block.Text("tool_name") ?? block.Text("name") ?? "";
        if (name.Length == 0)
            block.Errors.Add(block.PathOf("tool_name"), "is required");
        return deferred.TryGetValue(name, out JsonElement tool) ? Describe(tool) : name;
    }

    /// <summary>A block of a system message: <c>tool_addition</c> or <c>tool_removal</c>.</summary>
    public string ReadChange(JsonFields block)
    {
        if (block.Object("tool") is not { } tool)
        {
            block.Errors.Add(block.PathOf("tool"), "is required");
            return "";
        }
        string shown = tool.Object("definition") is { } definition ? Describe(ToolFields.ReadTool(definition)) : ReadReference(tool);
        return block.Text("type") is "tool_addition" ? $"From now on this tool can be called: {shown}" : $"From now on this tool cannot be called: {tool.Text("name") ?? shown}";
    }

    private static string Describe(JsonElement tool) => $"<function>{tool.GetProperty("function").GetRawText()}</function>";
}
