function hello(name: string = "World", n: number = 3) {
  return { hello: name, squares: Array.from({ length: n }, (_, i) => i * i) };
}

console.log(JSON.stringify(hello()));
