using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>A call that a server has found in the model's answer.</summary>
internal static class ToolCallPiece
{
    /// <param name="name">The function's.</param>
    /// <param name="arguments">An object, or an object as JSON in a string. What is neither, as where an answer was cut off, is text.</param>
    public static ServerPiece Of(string name, string arguments) => Parse(arguments) is JsonObject given
        ? new(PieceKind.ToolCall, Encoding.UTF8.GetBytes(new JsonObject { ["name"] = name, ["arguments"] = given }.ToJsonString()))
        : new(PieceKind.Text, Encoding.UTF8.GetBytes(arguments));

    private static JsonNode? Parse(string arguments)
    {
        try
        {
            // A function without parameters is called with nothing by some.
            return JsonNode.Parse(arguments.Length == 0 ? "{}" : arguments);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
