namespace OllamaMax.Inference.Native.LlamaCpp;
internal static class GgufCheck { public static void Check(string path) { if (!File.Exists(path)) throw new ModelLoadException($"{path} does not exist."); } }
