namespace OllamaMax.Edge.Requests;

/// <summary>Ids of an answer's calls, made of the answer's own: who asks for an answer again finds the same ones.</summary>
internal static class CallIds
{
    /// <param name="answer">The answer's id, without prefix.</param>
    /// <param name="index">From 0, of the call in the answer.</param>
    /// <param name="choice">From 0, of the answer among several.</param>
    public static string Of(string answer, int index, int choice = 0) => choice == 0 ? $"call_{answer}{index}" : $"call_{answer}{choice}_{index}";
}
