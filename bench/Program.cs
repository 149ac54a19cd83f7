using OllamaMax.Bench;

return await BenchCommand.Create().Parse(args).InvokeAsync();
