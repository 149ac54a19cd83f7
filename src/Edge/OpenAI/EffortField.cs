using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The field <c>reasoning_effort</c>, with the words that Ollama takes beside OpenAI's. A model that cannot reason answers without, as well as it can.</summary>
/// <param name="Think">False: not at all; null: a model that can.</param>
/// <param name="Level">low, medium or high: templates know no more.</param>
internal readonly record struct EffortField(bool? Think, string? Level)
{
    public static EffortField Read(JsonFields parent, string name)
    {
        switch (parent.Text(name))
        {
            case null or "":
                return default;
            case "none":
                return new(false, null);
            case "minimal" or "low":
                return new(null, "low");
            case "medium":
                return new(null, "medium");
            case "high" or "xhigh" or "ultra" or "max":
                return new(null, "high");
            default:
                parent.Errors.Add(parent.PathOf(name), "must be \"none\", \"minimal\", \"low\", \"medium\", \"high\", \"xhigh\", \"ultra\" or \"max\"");
                return default;
        }
    }
}
