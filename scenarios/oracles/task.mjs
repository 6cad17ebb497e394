// What every oracle does around its own work: it is told what to do on standard input, and answers in JSON.
import { text } from 'node:stream/consumers';

/** Run the task that was asked for by name; whatever its library says goes to standard error, in full. */
export async function perform(tasks) {
  const { task, ...asked } = JSON.parse(await text(process.stdin));
  try {
    console.log(JSON.stringify(await tasks[task](asked)));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}

/** The library must refuse: what it says is the answer. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return {
      name: error.name,
      code: error.code,
      error: error.error,
      message: error.message,
      cause: error.cause?.message,
    };
  }
  throw new Error('the library accepted what it had to refuse');
}
